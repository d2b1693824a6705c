import { clientKey, configure, oneProvider } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStream } from "./arrange.ts";
import { type ConsoleClient, openConsole, type Viewer, watch } from "./console-client.ts";

const models = { "claude-endless": "plain,100000+slow,50" };

let database: TestDatabase;
let redis: TestRedis;
let upstream: Upstream;
let dirs: TestDataDir[];
let api: ServerProcess;
let admin: ConsoleClient;
let viewer: Viewer;
/** On the worker's machine, in its data directory. */
let near: ServerProcess;
/** On another machine. */
let far: ServerProcess;
let startNear: () => Promise<ServerProcess>;
let startFar: () => Promise<ServerProcess>;

beforeAll(async () => {
  [database, redis, upstream] = await Promise.all([createTestDatabase(), startTestRedis(), startUpstream()]);
  dirs = [makeDataDir(), makeDataDir()];
  const [here, there] = dirs.map(({ path }) => path) as [string, string];
  const shared = { DATABASE_URL: database.url, REDIS_URL: redis.url, SLUICE_SECRET: "one-secret-for-both-machines" };
  const configured = await configure(here, upstream, oneProvider(models));
  const { SLUICE_ALLOW_PRIVATE_UPSTREAMS = "" } = configured;
  const ports = [await freePort(), await freePort()] as const;
  const env = { ...shared, SLUICE_ALLOW_PRIVATE_UPSTREAMS };
  startNear = () => startServer({ dataDir: here, port: ports[0], roles: "gateway", env });
  startFar = () => startServer({ dataDir: there, port: ports[1], roles: "gateway", env });
  api = await startServer({ dataDir: here, port: await freePort(), roles: "api,worker", env: { ...shared, ...configured } });
  [near, far] = await Promise.all([startNear(), startFar()]);
  admin = await openConsole(api.url);
  viewer = watch(admin);
  await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
});
afterAll(async () => {
  viewer?.close();
  await Promise.all([near?.stop("SIGKILL"), far?.stop("SIGKILL")]);
  await api?.stop();
  await upstream?.stop();
  await Promise.all([redis?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

/** Starts a request and waits until it has content and a row. */
async function begin(gateway: ServerProcess) {
  const before = new Set((await inFlight()).map(({ id }) => id));
  const stream = await openStream(upstream, gateway, "claude-endless");
  const row = await until(async () => (await inFlight()).find(({ id, ttftMs }) => !before.has(id) && ttftMs !== null), { what: "its row" });
  return { ...stream, row };
}

const inFlight = async () => (await admin.api.logs.list.query({ filter: { state: "in_flight" } })).items;
const rowsOf = async (id: string) => (await admin.api.logs.list.query({ filter: { requestId: id } })).items;
const told = (id: string) =>
  viewer.frames.flatMap(({ events }) => events.flatMap((event) => ("rev" in event && event.row.id === id ? [event] : [])));
/** Five times the promise. */
const promised = { deadlineMs: 25_000 };

describe("what is done at the console holds on every instance", () => {
  it("a cancelled request ends where it runs, and only it", async () => {
    const [one, other] = [await begin(far), await begin(far)];
    expect(await admin.api.logs.cancel.mutate({ id: one.row.id })).toEqual({ cancelled: true });
    expect((await one.end).text).toContain('"code":"cancelled"');
    await until(async () => (await rowsOf(one.row.id))[0]?.errorCode === "cancelled", { what: "its row" });
    expect((await rowsOf(other.row.id))[0]?.state).toBe("in_flight");
    expect(await admin.api.logs.cancel.mutate({ id: one.row.id })).toEqual({ cancelled: false });
    await admin.api.logs.cancel.mutate({ id: other.row.id });
    await other.end;
  });

  it("a terminated session loses its streams on both, and ends", async () => {
    const [one, two] = [await begin(near), await begin(far)];
    expect(one.row.sessionId).toBe(two.row.sessionId);
    const id = one.row.sessionId;
    await until(async () => (await admin.api.sessions.get.query({ id })).row.inFlight === 2, { what: "the session has both" });
    await admin.api.sessions.terminate.mutate({ id });
    for (const { end } of [one, two]) expect((await end).text).toContain("This session was terminated.");
    await until(() => viewer.frames.some(({ events }) => events.some((event) => event.type === "session.ended" && event.row.id === id)), {
      what: "viewers hear of its end",
    });
    await expect(admin.api.sessions.get.query({ id })).rejects.toThrow("It does not exist, or you do not have access to it");
  });

  it("a disabled key's, an expired key's and a disabled owner's streams are closed on both", async () => {
    const { items: keys } = await admin.api.keys.list.query({});
    const key = keys.find(({ name }) => name === "caller");
    if (!key) throw new Error("the configuration made a key");
    const losses = [
      ["key_disabled", () => admin.api.keys.update.mutate({ id: key.id, enabled: false })],
      ["key_expired", () => admin.api.keys.update.mutate({ id: key.id, enabled: true, expiresAtMs: Date.now() + 1_500 })],
      ["user_disabled", () => admin.api.users.update.mutate({ id: key.userId, enabled: false })],
    ] as const;
    for (const [code, lose] of losses) {
      const streams = [await begin(near), await begin(far)];
      await lose();
      for (const { end, row } of streams) {
        expect((await end).text).toContain(`"code":"${code}"`);
        await until(async () => (await rowsOf(row.id))[0]?.errorCode === code, { what: `the row says ${code}`, ...promised });
      }
      await admin.api.users.update.mutate({ id: key.userId, enabled: true });
      await admin.api.keys.update.mutate({ id: key.id, enabled: true, expiresAtMs: null });
      await until(async () => (await fetch(`${far.url}/v1/models`, { headers: { "x-api-key": clientKey } })).ok, {
        what: "the key is back",
      });
      await until(async () => (await fetch(`${near.url}/v1/models`, { headers: { "x-api-key": clientKey } })).ok, {
        what: "the key is back",
      });
    }
  });
});

describe("an instance that is killed", () => {
  it("its requests are lost for viewers and lists, its sessions work no more; its restart recovers and bills them", async () => {
    const { row, end } = await begin(far);
    await far.stop("SIGKILL");
    await end;
    await until(() => told(row.id).some(({ type }) => type === "request.lost"), { what: "viewers hear of the loss", deadlineMs: 60_000 });
    expect(await rowsOf(row.id)).toMatchObject([{ state: "lost", costNanoUsd: null }]);
    expect((await admin.api.logs.get.query({ id: row.id })).row.state).toBe("lost");
    expect((await admin.api.logs.list.query({ filter: { state: "lost" } })).items.map(({ id }) => id)).toEqual([row.id]);
    expect((await admin.api.sessions.list.query()).rows.find(({ id }) => id === row.sessionId)?.inFlight).toBe(0);
    expect(await admin.api.logs.cancel.mutate({ id: row.id })).toEqual({ cancelled: false });
    const { rows } = await database.pool.query("SELECT 1 FROM requests WHERE id = $1 OR state = 'lost'", [row.id]);
    expect(rows, "it is never stored as lost").toEqual([]);

    far = await startFar();
    await until(() => told(row.id).at(-1)?.type === "request.finished", { what: "viewers hear that it is recovered" });
    await until(async () => (await database.pool.query("SELECT 1 FROM requests WHERE id = $1", [row.id])).rowCount === 1, {
      what: "its row",
    });
    const [recovered] = await rowsOf(row.id);
    expect(recovered).toMatchObject({ state: "error", flags: expect.arrayContaining(["recovered", "partial"]) });
    expect(Number(recovered?.costNanoUsd)).toBeGreaterThan(0);
    expect((await admin.api.logs.list.query({ filter: { state: "lost" } })).items).toEqual([]);
  });

  it("that does not come back is adopted by a worker: its rows are recovered once, and nothing stays lost", async () => {
    const { row, end } = await begin(near);
    await near.stop("SIGKILL");
    await end;
    await until(() => told(row.id).at(-1)?.type === "request.finished", { what: "the worker recovers it", deadlineMs: 100_000 });
    await until(async () => (await database.pool.query("SELECT 1 FROM requests WHERE id = $1", [row.id])).rowCount === 1, {
      what: "its row",
    });
    await until(async () => (await admin.api.logs.list.query({ filter: { state: "lost" } })).items.length === 0, {
      what: "nothing is lost",
    });
    expect(await rowsOf(row.id)).toMatchObject([{ state: "error", flags: expect.arrayContaining(["recovered"]) }]);
    expect(await inFlight()).toEqual([]);
    const moves = () =>
      viewer.frames.flatMap(({ events }) => events.flatMap((event) => (event.type === "session.updated" ? [event.row] : [])));
    await until(() => moves().findLast(({ id }) => id === row.sessionId)?.inFlight === 0, {
      what: "its session works no more",
      deadlineMs: 60_000,
    });
  });
});
