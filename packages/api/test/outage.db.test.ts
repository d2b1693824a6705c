import { setTimeout as sleep } from "node:timers/promises";
import type { LiveFrame } from "@sluice/core/events";
import { createPool, createPrisma } from "@sluice/db/postgres";
import { until } from "@sluice/testing/deadline";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { type SlowProxy, startSlowProxy } from "@sluice/testing/slow-proxy";
import { statementsDuring } from "@sluice/testing/statements";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, openStream, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let api: TestApi;
let pool: TestDatabase["pool"];
/** The connection between the API and Postgres; closing it is the outage. */
let line: SlowProxy;

beforeAll(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  line = await startSlowProxy(Number(url.port));
  url.port = String(line.port);
  pool = createPool(url.href, { connectTimeoutMs: 1_000 });
  api = await startApi({ database: { ...database, pool, prisma: createPrisma(pool) } });
});
afterAll(async () => {
  await api?.close();
  await pool?.end();
  await line?.close();
  await database?.drop();
});

function timesTold({ frames }: { frames: readonly LiveFrame[] }): number {
  return frames.flatMap(({ events }) => events).filter(({ type }) => type === "database.returned").length;
}

describe("while Postgres is away", () => {
  it("signed-in users see requests in flight and the providers; others are told to retry", async () => {
    const cookie = await signIn(api.url, (await makePerson(database, "admin")).email);
    const row = requestRow({ state: "in_flight" });
    api.live.registry.started(row);
    const done = requestRow();
    api.live.registry.finished(done, requestDetail({ id: done.id }));
    expect(await call(api.url, "query", "logs.list", {}, { cookie })).toMatchObject({ data: { partial: false } });
    await line.cut();

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
    const watching = await openStream(api.url, { cookie, lastEventId: (list.data as { busId: string }).busId });
    await line.restore();
    await until(() => timesTold(watching) === 1, { what: "the viewer is told that it is back" });
    watching.close();
    api.live.registry.settled([row.id, done.id]);
  });

  it("viewers are told once that it is back if somebody was shown less because of it; otherwise nothing checks", async () => {
    const cookie = await signIn(api.url, (await makePerson(database, "user")).email);
    const stream = await openStream(api.url, { cookie, lastEventId: await api.live.bus.position() });
    await line.cut();
    expect(await call(api.url, "query", "logs.list", {}, { cookie })).toMatchObject({ data: { partial: true } });
    expect(await call(api.url, "query", "overview.get", undefined, { cookie })).toMatchObject({ code: "unavailable" });
    await line.restore();
    await until(() => timesTold(stream) > 0, { what: "the viewer is told" });
    expect(await call(api.url, "query", "logs.list", {}, { cookie })).toMatchObject({ data: { partial: false } });
    const statements = await statementsDuring(database.pool, () => sleep(1_500));
    expect([timesTold(stream), statements]).toEqual([1, []]);
    stream.close();
  });
});
