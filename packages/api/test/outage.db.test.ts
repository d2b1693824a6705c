import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createPool, createPrisma } from "@sluice/db/postgres";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let api: TestApi;
let pool: TestDatabase["pool"];
/** Between the API and Postgres; closing it is the outage. */
let line: Server;
const open = new Set<Socket>();

beforeAll(async () => {
  database = await createTestDatabase();
  const { port } = new URL(database.url);
  line = createServer((socket) => {
    const beyond = connect(Number(port), "127.0.0.1");
    for (const one of [socket, beyond]) {
      open.add(one);
      one.on("error", () => undefined).on("close", () => open.delete(one));
    }
    socket.pipe(beyond).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(line, "listening");
  const url = new URL(database.url);
  url.port = String((line.address() as AddressInfo).port);
  pool = createPool(url.href, { connectTimeoutMs: 1_000 });
  api = await startApi({ database: { ...database, pool, prisma: createPrisma(pool) } });
});
afterAll(async () => {
  await api?.close();
  await pool?.end();
  await database?.drop();
});

function cut(): void {
  line.close();
  for (const socket of open) socket.destroy();
}

describe("while Postgres is away", () => {
  it("who is signed in sees what is in flight and the providers; strangers are told to come back", async () => {
    const cookie = await signIn(api.url, (await makePerson(database, "admin")).email);
    const row = requestRow({ state: "in_flight" });
    api.live.registry.started(row);
    const done = requestRow();
    api.live.registry.finished(done, requestDetail({ id: done.id }));
    expect(await call(api.url, "query", "logs.list", {}, { cookie })).toMatchObject({ data: { partial: false } });
    cut();

    const list = await call(api.url, "query", "logs.list", {}, { cookie });
    expect(list).toMatchObject({ status: 200, data: { partial: true, nextCursor: null } });
    expect((list.data as { items: { id: string }[] }).items.map(({ id }) => id).sort()).toEqual([row.id, done.id].sort());
    expect(await call(api.url, "query", "logs.get", { id: done.id }, { cookie })).toMatchObject({
      status: 200,
      data: { detail: { id: done.id } },
    });
    expect((await call(api.url, "query", "providers.bootstrap", undefined, { cookie })).status).toBe(200);
    expect((await call(api.url, "query", "settings.get", undefined, { cookie })).status).toBe(200);
    const stranger = await call(api.url, "query", "logins.current", undefined, { cookie: `sid=${"x".repeat(43)}` });
    expect(stranger).toMatchObject({ status: 503, code: "unavailable", error: { retryable: true } });
    expect((await call(api.url, "query", "logins.current")).status).toBe(200);
    const change = await call(api.url, "mutation", "settings.update", { "breaker.failures": 6 }, { cookie });
    expect(change).toMatchObject({ status: 503, code: "unavailable", error: { retryable: true } });
    api.live.registry.settled([row.id, done.id]);
  });
});
