import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkInvariants } from "@sluice/ledger/check";
import { clientKey, configure, oneProvider } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type Seen } from "@sluice/testing/model-client";
import { type OwnPostgres, startOwnPostgres } from "@sluice/testing/own-postgres";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { type SlowProxy, startSlowProxy } from "@sluice/testing/slow-proxy";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, healthOf } from "./arrange.ts";
import { openConsole, type Viewer, watch } from "./console-client.ts";

const models = { "claude-quick": "plain,6", "claude-slow": "plain,10+slow,40" };

/** Sequential requests on each of three connections, until stopped. */
function steadyTraffic(server: ServerProcess): { seen: Seen[]; stop(): Promise<Seen[]> } {
  const seen: Seen[] = [];
  let open = true;
  const client = async (dialectModel: string, stream: boolean): Promise<void> => {
    while (open) {
      seen.push(await callModel(server.url, { dialect: "anthropic", model: dialectModel, stream, key: clientKey, session: "steady" }));
      await sleep(30);
    }
  };
  const clients = Promise.all([client("claude-quick", false), client("claude-quick", true), client("claude-slow", true)]);
  return {
    seen,
    async stop() {
      open = false;
      await clients;
      return seen;
    },
  };
}

const unknownKey = (server: ServerProcess, n: number): Promise<Seen> =>
  callModel(server.url, { dialect: "anthropic", model: "claude-quick", stream: false, key: `sk-nobody-has-this-${n}` });

/** Checks that every request ended properly. */
function expectAllComplete(seen: readonly Seen[]): void {
  expect(seen.filter(({ outcome }) => outcome !== "complete").map(({ status, text }) => `${status} ${text.slice(0, 200)}`)).toEqual([]);
}

async function expectSeen(viewer: Viewer, seen: readonly Seen[]): Promise<void> {
  const missing = () => seen.filter(({ id }) => !viewer.finished.has(id)).map(({ id }) => id);
  await until(() => missing().length === 0, { what: "the viewer saw every request finish" }).catch(() => undefined);
  expect(missing()).toEqual([]);
}

async function expectBooksRight(oraclePath: string, pool: OwnPostgres["pool"], seen: readonly Seen[]): Promise<void> {
  const clientLog = seen.filter(({ id }) => id !== "");
  expect(await checkInvariants({ oraclePath, pool, clientLog })).toEqual([]);
}

describe("P04: Redis is stopped in the middle of a run", () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let upstream: Upstream;
  let dataDir: TestDataDir;
  let server: ServerProcess;
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
    dataDir = makeDataDir();
    upstream = await startUpstream({ oraclePath: join(dataDir.path, "oracle.jsonl") });
    const keys = [{ name: "caller", key: clientKey, inFlight: 50, rpm: 100_000 }];
    const env = await configure(dataDir.path, upstream, { ...oneProvider(models), keys });
    server = await startServer({
      dataDir: dataDir.path,
      port: await freePort(),
      env: { ...env, DATABASE_URL: database.url, REDIS_URL: redis.url },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await upstream?.stop();
    await Promise.all([redis?.stop(), database?.drop()]);
    await dataDir?.remove();
  });

  it("requests keep working, and the viewers' streams recover by themselves", async () => {
    const admin = await openConsole(server.url);
    const viewer = watch(admin);
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const before = steadyTraffic(server);
    await until(() => before.seen.length >= 20, { what: "traffic" });
    await redis.kill();
    const down = before.seen.length;
    await until(async () => (await healthOf(server)).redis === "down", { what: "health says that Redis is down" });
    expect(await healthOf(server)).toMatchObject({ status: "degraded", postgres: "ok", redis: "down" });
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    await until(() => before.seen.length >= down + 40, { what: "traffic without Redis" });
    // The log still works, from this process and Postgres.
    expect((await admin.api.logs.list.query({})).items.length).toBeGreaterThan(0);

    await redis.restart();
    await until(() => viewer.resets.length > 0, { what: "the viewer is told to start over: Redis came back empty", deadlineMs: 20_000 });
    expectAllComplete(await before.stop());
    const resets = viewer.resets.length;
    const after = steadyTraffic(server);
    await until(() => after.seen.length >= 30, { what: "traffic after the outage" });
    expectAllComplete(await after.stop());
    await expectSeen(viewer, after.seen);
    expect(viewer.resets.length).toBe(resets);
    await until(async () => (await healthOf(server)).status === "ok", { what: "health is ok again" });
    await awaitRest(server, admin);
    await expectBooksRight(join(dataDir.path, "oracle.jsonl"), database.pool, [...before.seen, ...after.seen]);
    viewer.close();
  });

  it("a Redis that hangs and comes back costs nobody a request, and viewers no event", async () => {
    const admin = await openConsole(server.url);
    const viewer = watch(admin);
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const traffic = steadyTraffic(server);
    await until(() => traffic.seen.length >= 10, { what: "traffic" });
    redis.pause();
    try {
      const hung = traffic.seen.length;
      await until(async () => (await healthOf(server)).redis === "down", { what: "health says that Redis is down" });
      await until(() => traffic.seen.length >= hung + 20, { what: "traffic while Redis hangs", deadlineMs: 30_000 });
    } finally {
      redis.resume();
    }
    const resumed = traffic.seen.length;
    await until(() => traffic.seen.length >= resumed + 20, { what: "traffic afterwards" });
    expectAllComplete(await traffic.stop());
    // Either nothing is lost, or the viewer was told to reload its lists.
    if (viewer.resets.length === 0) await expectSeen(viewer, traffic.seen);
    const last = steadyTraffic(server);
    await until(() => last.seen.length >= 10, { what: "traffic at the end" });
    await expectSeen(viewer, await last.stop());
    await awaitRest(server, admin);
    viewer.close();
  });
});

describe("Postgres is stopped for a while", () => {
  /** Longer than every back-off and every cache; the second test only needs to outlast those of the snapshot and the settler. */
  const outageMs = { long: 30_000, short: 8_000 };
  let postgres: OwnPostgres;
  let redis: TestRedis;
  let upstream: Upstream;
  let dataDir: TestDataDir;
  let server: ServerProcess;
  let start: () => Promise<ServerProcess>;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startOwnPostgres(), startTestRedis()]);
    dataDir = makeDataDir();
    upstream = await startUpstream({ oraclePath: join(dataDir.path, "oracle.jsonl") });
    const env = await configure(dataDir.path, upstream, oneProvider(models));
    const port = await freePort();
    start = () => startServer({ dataDir: dataDir.path, port, env: { ...env, DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
    server = await start();
  });
  afterAll(async () => {
    await server?.stop();
    await upstream?.stop();
    await redis?.stop();
    await postgres?.remove();
    await dataDir?.remove();
  });

  /** Calls with known keys, with unknown keys, and health checks for as long as the outage lasts. */
  async function liveThrough(seen: readonly Seen[], forMs: number): Promise<void> {
    const end = performance.now() + forMs;
    const from = seen.length;
    for (let n = 0; performance.now() < end; n++) {
      const refused = await unknownKey(server, n);
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.text)).toMatchObject({ error: { message: expect.any(String) } });
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
      await sleep(200);
    }
    expect(await healthOf(server)).toMatchObject({ status: "degraded", postgres: "down" });
    expect(seen.length).toBeGreaterThan(from + 20);
  }

  it("known keys keep working, unknown keys get 503, and afterwards every finished request has its row", async () => {
    const admin = await openConsole(server.url);
    const viewer = watch(admin);
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    expect((await unknownKey(server, -1)).status).toBe(401);
    const traffic = steadyTraffic(server);
    await until(() => traffic.seen.length >= 10, { what: "traffic" });
    await postgres.takeDown();
    await liveThrough(traffic.seen, outageMs.long);
    await postgres.bringBack();
    const seen = await traffic.stop();
    expectAllComplete(seen);
    // Watching does not need Postgres.
    await expectSeen(viewer, seen);
    await until(async () => (await healthOf(server)).status === "ok", { what: "health is ok again", deadlineMs: 30_000 });
    await awaitRest(server, await openConsole(server.url));
    await expectBooksRight(join(dataDir.path, "oracle.jsonl"), postgres.pool, seen);
    await until(async () => (await unknownKey(server, -2)).status === 401, { what: "unknown keys are known to be unknown again" });
    viewer.close();
  });

  it("a server that is killed and started during the outage serves known keys from its copy on disk", async () => {
    const first = steadyTraffic(server);
    await until(() => first.seen.length >= 10, { what: "traffic" });
    await postgres.takeDown();
    const down = first.seen.length;
    await until(() => first.seen.length >= down + 10, { what: "traffic without Postgres" });
    const killed = first.stop();
    await server.stop("SIGKILL");
    const before = await killed;

    server = await start();
    const traffic = steadyTraffic(server);
    await liveThrough(traffic.seen, outageMs.short);
    await postgres.bringBack();
    expectAllComplete(await traffic.stop());
    await until(async () => (await healthOf(server)).status === "ok", { what: "health is ok again", deadlineMs: 30_000 });
    const admin = await openConsole(server.url);
    await awaitRest(server, admin);
    await expectBooksRight(join(dataDir.path, "oracle.jsonl"), postgres.pool, [...before, ...traffic.seen]);
    const said = () => server.logLines().some(({ msg }) => msg === "Postgres is back; the database is up to date");
    await until(said, { what: "the start that had to wait is complete", deadlineMs: 60_000 });
  });
});

describe("Postgres is slow", () => {
  let database: TestDatabase;
  let upstream: Upstream;
  let dataDir: TestDataDir;
  let proxy: SlowProxy;
  let server: ServerProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = makeDataDir();
    upstream = await startUpstream({ oraclePath: join(dataDir.path, "oracle.jsonl") });
    const url = new URL(database.url);
    proxy = await startSlowProxy(Number(url.port));
    url.port = String(proxy.port);
    const env = await configure(dataDir.path, upstream, oneProvider(models));
    server = await startServer({
      dataDir: dataDir.path,
      port: await freePort(),
      env: { ...env, DATABASE_URL: url.href, REDIS_URL: "none" },
    });
  });
  afterAll(async () => {
    proxy?.delay(0);
    await server?.stop();
    await proxy?.close();
    await upstream?.stop();
    await database?.drop();
    await dataDir?.remove();
  });

  it("with five seconds per statement, requests continue as usual, and none is lost", async () => {
    const traffic = steadyTraffic(server);
    await until(() => traffic.seen.length >= 10, { what: "traffic" });
    proxy.delay(5_000);
    const slow = traffic.seen.length;
    await until(() => traffic.seen.length >= slow + 60, { what: "traffic while Postgres is slow", deadlineMs: 30_000 });
    // Their charges wait in the spool and have not been given up.
    expect((await healthOf(server)).spool.depth).toBeGreaterThan(0);
    proxy.delay(0);
    const seen = await traffic.stop();
    expectAllComplete(seen);
    await until(async () => (await healthOf(server)).spool.depth === 0, { what: "every end is settled", deadlineMs: 60_000 });
    await expectBooksRight(join(dataDir.path, "oracle.jsonl"), database.pool, seen);
  });
});
