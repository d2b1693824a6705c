import { clientKey, configure } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel, type Seen } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awaitRest, openStream } from "./arrange.ts";
import { type ConsoleClient, openConsole } from "./console-client.ts";

const scripts = { "claude-slow": "plain,40+slow,100", "claude-endless": "plain,100000+slow,100", "claude-bad": "error-before" };
const keys = { five: "sk-test-five-at-a-time", little: "sk-test-of-little-money" };

let database: TestDatabase;
let redis: TestRedis;
let upstream: Upstream;
let dirs: TestDataDir[];
/** Real processes with separate data directories: only Redis and PostgreSQL connect them. */
let a: ServerProcess;
let b: ServerProcess;
let admin: ConsoleClient;

beforeAll(async () => {
  [database, redis, upstream] = await Promise.all([createTestDatabase(), startTestRedis(), startUpstream()]);
  dirs = [makeDataDir(), makeDataDir()];
  const modelRedirects = Object.fromEntries(Object.entries(scripts).map(([model, script]) => [model, `${model}@${script}`]));
  const env: Record<string, string> = {
    ...{ DATABASE_URL: database.url, REDIS_URL: redis.url, SLUICE_SECRET: "one-secret-for-both-machines" },
    ...(await configure(dirs[0]?.path ?? "", upstream, {
      providers: [{ name: "only", dialect: "anthropic", secret: "sk-upstream-0001", modelRedirects }],
      models: Object.keys(scripts),
      keys: [
        { name: "caller", key: clientKey },
        { name: "five", key: keys.five, inFlight: 5 },
        { name: "little", key: keys.little, costTotalUsd: "0.000001" },
      ],
    })),
  };
  // Only one process reads the configuration file.
  const { SLUICE_CONFIG: _file, ...ofB } = env;
  a = await startServer({ dataDir: dirs[0]?.path ?? "", port: await freePort(), env });
  b = await startServer({ dataDir: dirs[1]?.path ?? "", port: await freePort(), roles: "gateway", env: ofB });
  admin = await openConsole(a.url);
});
afterAll(async () => {
  await Promise.all([a?.stop(), b?.stop()]);
  await upstream?.stop();
  await Promise.all([redis?.stop(), database?.drop()]);
  for (const dir of dirs ?? []) await dir.remove();
});

function call(server: ServerProcess, model: keyof typeof scripts, key: string): Promise<Seen> {
  return callModel(server.url, { dialect: "anthropic", model, stream: true, key, session: crypto.randomUUID() });
}

/** Fifty requests at once, alternating between the instances, sorted by outcome. */
async function fifty(key: string): Promise<{ served: number; refused: Seen[] }> {
  const seen = await Promise.all(Array.from({ length: 50 }, (_, i) => call(i % 2 ? a : b, "claude-slow", key)));
  const refused = seen.filter(({ status }) => status === 429);
  const served = seen.filter(({ status, outcome }) => status === 200 && outcome === "complete").length;
  expect(served + refused.length).toBe(50);
  return { served, refused };
}

const calls = (model: keyof typeof scripts): number =>
  upstream.oracle().filter((line) => line.line === "opened" && line.model.startsWith(model)).length;

describe("two processes share", () => {
  it("a limit of 5 in flight: of 50 parallel requests exactly 5 are served, and 5 again when those are over", async () => {
    for (let round = 0; round < 2; round++) {
      const before = calls("claude-slow");
      const { served, refused } = await fifty(keys.five);
      expect(served).toBe(5);
      expect(calls("claude-slow") - before).toBe(5);
      expect(refused[0]?.text).toContain("The limit of 5 requests in flight of this key is reached");
    }
  });

  it("a budget of ten requests' worth: of 50 parallel ones exactly ten, and what they did not use is there for others", async () => {
    const refusal = await call(a, "claude-slow", keys.little);
    expect(refusal.status).toBe(429);
    const dearest = Number(/this request may cost \$([\d.]+\d)/.exec(refusal.text)?.[1]);
    const { items } = await admin.api.keys.list.query({});
    const userId = items.find(({ name }) => name === "little")?.userId ?? "";
    const { secret } = await admin.api.keys.create.mutate({ userId, name: "ten", costTotalUsd: (dearest * 10).toFixed(9) });
    await until(async () => (await call(b, "claude-bad", secret)).status !== 401, { what: "B knows the key" });
    expect((await fifty(secret)).served).toBe(10);
    await awaitRest(a, admin);
    for (const server of [a, b]) expect((await call(server, "claude-slow", secret)).outcome).toBe("complete");
  });

  it("a breaker: what five failures at one have opened, the other keeps out", async () => {
    const model = "claude-bad";
    await until(async () => (await call(a, model, clientKey)).status === 503, { what: "A keeps it out" });
    const before = calls(model);
    const isOut = async () => (await call(b, model, clientKey)).text.includes("No provider is available for this model");
    await until(isOut, { what: "B does so too" });
    for (let i = 0; i < 5; i++) expect((await call(b, model, clientKey)).status).toBe(503);
    expect(calls(model)).toBe(before);
  });
});

describe("A08 the leases of a process that is killed", () => {
  it("are free when they expire, with nobody to sweep them", async () => {
    for (let i = 0; i < 5; i++) await openStreamAt(b);
    expect((await call(a, "claude-slow", keys.five)).status).toBe(429);
    await b.stop("SIGKILL");
    // No process knows yet that they have ended.
    expect((await call(a, "claude-slow", keys.five)).status).toBe(429);
    const isFree = async () => (await call(a, "claude-slow", keys.five)).status === 200;
    await until(isFree, { what: "a place is free", deadlineMs: 120_000, everyMs: 1_000 });
    const seen = await Promise.all(Array.from({ length: 20 }, () => call(a, "claude-slow", keys.five)));
    expect(seen.filter(({ status }) => status === 200)).toHaveLength(5);
  }, 180_000);
});

async function openStreamAt(server: ServerProcess): Promise<void> {
  const { end } = await openStream(upstream, server, "claude-endless", keys.five);
  void end.catch(() => undefined);
}
