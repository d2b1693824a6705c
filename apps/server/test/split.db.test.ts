import { setTimeout as sleep } from "node:timers/promises";
import { clientKey, configure, oneProvider } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type ModelCall } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, errorLines, openStream } from "./arrange.ts";
import { type ConsoleClient, openConsole, watch } from "./console-client.ts";

const models = { "claude-quick": "plain,6", "claude-slow": "plain,50+slow,80", "claude-endless": "plain,100000+slow,100" };
const quick: ModelCall = { dialect: "anthropic", model: "claude-quick", stream: true, key: clientKey };

let database: TestDatabase;
let redis: TestRedis;
let upstream: Upstream;
// Separate data directories, as on two machines: only Redis and Postgres connect them.
let dirs: TestDataDir[];
let gateway: ServerProcess;
let api: ServerProcess;
let startApi: () => Promise<ServerProcess>;

beforeAll(async () => {
  [database, redis, upstream] = await Promise.all([createTestDatabase(), startTestRedis(), startUpstream()]);
  dirs = [makeDataDir(), makeDataDir()];
  const [ofGateway, ofApi] = dirs.map(({ path }) => path) as [string, string];
  const shared = { DATABASE_URL: database.url, REDIS_URL: redis.url, SLUICE_SECRET: "one-secret-for-both-machines" };
  const configured = await configure(ofApi, upstream, oneProvider(models));
  const port = await freePort();
  startApi = () => startServer({ dataDir: ofApi, port, roles: "api,worker", env: { ...shared, ...configured } });
  api = await startApi();
  const { SLUICE_ALLOW_PRIVATE_UPSTREAMS = "" } = configured;
  gateway = await startServer({
    dataDir: ofGateway,
    port: await freePort(),
    roles: "gateway",
    env: { ...shared, SLUICE_ALLOW_PRIVATE_UPSTREAMS },
  });
});
afterAll(async () => {
  await Promise.all([gateway?.stop(), api?.stop()]);
  await upstream?.stop();
  await Promise.all([redis?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

async function newestRow(admin: ConsoleClient) {
  const { items: rows } = await admin.api.logs.list.query({ limit: 1 });
  return rows[0];
}

/** Every page of the log, newest first. */
async function listAll({ api }: ConsoleClient): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await api.logs.list.query({ limit: 50, cursor });
    ids.push(...page.items.map((row) => row.id));
    cursor = page.nextCursor;
  }
  return ids;
}

describe("gateway and api as separate processes", () => {
  it("serve only what is theirs", async () => {
    // To the api this is just a POST without a signed-in browser.
    expect((await callModel(api.url, quick)).status).toBe(403);
    expect(upstream.oracle()).toEqual([]);
    expect((await fetch(`${gateway.url}/auth/login`, { method: "POST" })).status).toBe(404);
    for (const { url } of [gateway, api]) expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("a request through the one is in flight in the other's log, then done there", async () => {
    const admin = await openConsole(api.url);
    const viewer = watch(admin);
    await until(() => viewer.frames.length > 0, { what: "the viewer is connected" });
    const stream = await openStream(upstream, gateway, "claude-slow");
    await until(async () => (await newestRow(admin))?.state === "in_flight", { what: "the log shows it in flight" });
    const before = await newestRow(admin);
    expect(before).toMatchObject({ model: "claude-slow", stream: true, durationMs: null });
    const { id, outcome } = await stream.end;
    expect(outcome).toBe("complete");
    expect(before?.id).toBe(id);
    await until(async () => (await newestRow(admin))?.state === "done", { what: "the log shows it done" });
    const after = await newestRow(admin);
    expect(after).toMatchObject({ id, state: "done", status: 200 });
    expect(Number(after?.costNanoUsd)).toBeGreaterThan(0);
    // The same by push.
    await until(() => viewer.finished.has(id), { what: "the viewer saw it finish" });
    const types = viewer.frames.flatMap(({ events }) =>
      events.flatMap((event) => ("row" in event && event.row.id === id ? [event.type] : [])),
    );
    expect(types[0]).toBe("request.started");
    expect(types.at(-1)).toBe("request.finished");
    viewer.close();
  });

  it("a provider that is disabled in the one is refused by the other within a second", async () => {
    const admin = await openConsole(api.url);
    const { providers } = await admin.api.providers.bootstrap.query();
    const id = providers[0]?.id ?? "";
    expect((await callModel(gateway.url, quick)).outcome).toBe("complete");
    await admin.api.providers.update.mutate({ id, enabled: false });
    // The promise is one second; a busy machine gets five.
    const refused = await until(
      async () => {
        const seen = await callModel(gateway.url, quick);
        return seen.status === 200 ? null : seen;
      },
      { what: "the gateway refuses", deadlineMs: 5_000 },
    );
    expect(refused).toMatchObject({ status: 503, text: expect.stringContaining("No provider is available for this model") });
    await admin.api.providers.update.mutate({ id, enabled: true });
    await until(async () => (await callModel(gateway.url, quick)).outcome === "complete", { what: "it works again", deadlineMs: 5_000 });
  });

  it("the api is killed and started under traffic: its log is registry and database, nothing else and nothing twice", async () => {
    const sent: Promise<{ id: string }>[] = [];
    const keepSending = async (until: () => boolean): Promise<void> => {
      while (!until()) {
        sent.push(callModel(gateway.url, quick));
        await sleep(25);
      }
    };
    let restarted = false;
    const traffic = keepSending(() => restarted);
    await until(() => sent.length > 10, { what: "traffic" });
    await api.stop("SIGKILL");
    const endless = await openStream(upstream, gateway, "claude-endless");
    api = await startApi();
    const admin = await openConsole(api.url);
    const { items: rows } = await admin.api.logs.list.query({ filter: { state: "in_flight", model: "claude-endless" } });
    endless.leave();
    restarted = true;
    await traffic;
    const finished = await Promise.all(sent);
    const { id } = await endless.end;
    expect(
      rows.map((row) => row.id),
      "still in flight, begun while no api ran",
    ).toEqual([id]);

    // The gateway updates Redis a moment after it has answered.
    const isWhole = (ids: readonly string[]) => [...finished.map((request) => request.id), id].every((each) => ids.includes(each));
    const listed = await until(async () => await listAll(admin).then((ids) => isWhole(ids) && ids), { what: "the log has every request" });
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual([...listed].sort().reverse());
    await awaitRest(gateway, admin);
    const stored = await database.pool.query<{ id: string }>("SELECT id FROM requests ORDER BY id DESC");
    expect(stored.rows.map((row) => row.id)).toEqual(listed);
    for (const server of [gateway, api]) expect(errorLines(server)).toEqual([]);
  });
});
