import { clientKey, configure } from "@sluice/testing/config-file";
import { until } from "@sluice/testing/deadline";
import { callModel } from "@sluice/testing/model-client";
import { freePort } from "@sluice/testing/ports";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { makeDataDir, type ServerProcess, startServer, type TestDataDir } from "@sluice/testing/server-process";
import { startUpstream, type Upstream } from "@sluice/upstream/server";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorLines } from "./arrange.ts";

/** A complete production server with Redis, and no other instance. */
interface Stage {
  server: ServerProcess;
  own: TestRedis;
  redis: Redis;
  upstream: Upstream;
  /** Makes requests with a key without limits, several at a time. Returns the duration in ms. */
  drive(count: number): Promise<number>;
}

const leftovers: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of leftovers.reverse()) await end();
});

const model = "claude-quick";

async function start(providers: number): Promise<Stage> {
  const [database, own, upstream]: [TestDatabase, TestRedis, Upstream] = await Promise.all([
    createTestDatabase(),
    startTestRedis(),
    startUpstream(),
  ]);
  const dir: TestDataDir = makeDataDir();
  const redis = new Redis(own.url);
  const entries = Array.from({ length: providers }, (_, i) => {
    const modelRedirects = { [model]: `${model}@plain,6` };
    return { name: `provider ${i}`, dialect: "anthropic" as const, secret: `sk-upstream-${i}`, modelRedirects };
  });
  const configured = await configure(dir.path, upstream, { providers: entries, models: [model] });
  const env = {
    ...{ ...configured, DATABASE_URL: database.url, REDIS_URL: own.url, SLUICE_SECRET: "a-secret-for-the-hot-path-test" },
    NODE_OPTIONS: "--import=./apps/server/test/sync-io-preload.ts",
  };
  const server = await startServer({ dataDir: dir.path, port: await freePort(), env });
  leftovers.push(
    () => database.drop(),
    () => own.stop(),
    () => upstream.stop(),
    () => dir.remove(),
    () => redis.disconnect(),
    () => server.stop(),
  );
  const drive = async (count: number): Promise<number> => {
    const from = performance.now();
    const left = Array.from({ length: count }).values();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const _ of left) {
          const { status } = await callModel(server.url, { dialect: "anthropic", model, stream: false, key: clientKey });
          expect(status).toBe(200);
        }
      }),
    );
    return performance.now() - from;
  };
  await drive(100);
  return { server, own, redis, upstream, drive };
}

/** Number of reads from client connections; a pipeline is one read. */
async function roundTrips(redis: Redis): Promise<number> {
  return Number(/total_reads_processed:(\d+)/.exec(await redis.info("stats"))?.[1]);
}

describe.each([10, 1_000])("a request of a key without limits, beside %i providers", (providers) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start(providers);
  }, 120_000);

  it("costs Redis a number of batches per second, however many requests there are", async () => {
    const { redis, drive } = stage;
    const before = await roundTrips(redis);
    const tookMs = await drive(1_500);
    const trips = (await roundTrips(redis)) - before - 1;
    // At most 0.2 per request at 1,000 requests a second, that is 200 a second whatever the number of requests, since everything is batched
    // by time.
    expect(trips).toBeLessThanOrEqual(200 * (tookMs / 1_000) + 20);
    expect(await redis.info("commandstats")).not.toMatch(/cmdstat_keys:/);
  });

  it("waits for nothing of Redis: one that is frozen is not noticed", async () => {
    const { own, drive, server } = stage;
    own.pause();
    try {
      await drive(50);
    } finally {
      own.resume();
    }
    expect(errorLines(server)).toEqual([]);
  });

  it("does nothing synchronous on disk once the server has started", async () => {
    const { server, drive } = stage;
    process.kill(server.pid, "SIGUSR2");
    const told = () =>
      server
        .output()
        .split("\n")
        .filter((line) => line.startsWith("SYNC-IO"));
    await until(() => told().length > 0, { what: "the watch is on" });
    expect(told().shift()).toContain("existsSync");
    await drive(300);
    expect(told().slice(1)).toEqual([]);
  });
});
