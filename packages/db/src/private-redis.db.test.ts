import { existsSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { holdService } from "../test/holder.ts";
import type { PrivateRedis, PrivateRedisOptions } from "./private-redis.ts";
import { startPrivateRedis } from "./private-redis.ts";
import { isProcessAlive, waitForExit } from "./process-facts.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sluice-redis-"));
});

afterEach(async () => {
  // A failed test has not stopped the servers it started; stopping twice is harmless.
  for (const redis of started.splice(0)) await redis.stop();
  // The same for the server of a process that it killed.
  if (existsSync(join(dataDir, "redis", "redis.pid"))) await (await start()).stop();
  await rm(dataDir, { recursive: true, force: true });
});

const started: PrivateRedis[] = [];

async function start(options: Partial<PrivateRedisOptions> = {}): Promise<PrivateRedis> {
  const redis = await startPrivateRedis({ dataDir, log: silentLog, ...options });
  if (redis === null) throw new Error("redis-server is needed for this test.");
  started.push(redis);
  return redis;
}

async function ask<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

describe("private Redis", () => {
  it("is null where no server is installed", async () => {
    expect(await startPrivateRedis({ dataDir, log: silentLog, path: "/nonexistent" })).toBeNull();
  });

  it("keeps data, port and password over an orderly stop; never evicts; wants the password; keeps its files to itself", async () => {
    const first = await start();
    await ask(first.url, (client) => client.set("kept", "1"));
    expect(await ask(first.url, (client) => client.config("GET", "maxmemory-policy"))).toEqual(["maxmemory-policy", "noeviction"]);
    await expect(ask(`redis://127.0.0.1:${first.port}`, (client) => client.get("kept"))).rejects.toThrow(/NOAUTH|closed/);
    expect((await stat(join(dataDir, "redis"))).mode & 0o777).toBe(0o700);
    await first.stop();
    expect(await isProcessAlive(first.pid)).toBe(false);

    const second = await start();
    expect(second).toMatchObject({ attached: false, url: first.url });
    expect(await ask(second.url, (client) => client.get("kept"))).toBe("1");
    await second.stop();
  });

  it("survives a kill -9 of its only owner; the next start attaches and the last orderly stop ends it", async () => {
    const owner = await holdService("redis", dataDir);
    await owner.kill();
    const next = await start();
    expect(next).toMatchObject({ attached: true, pid: owner.pid, url: owner.url });
    const other = await holdService("redis", dataDir);
    await next.stop();
    expect(await ask(other.url, (client) => client.ping())).toBe("PONG");
    await other.leave();
    expect(await isProcessAlive(owner.pid)).toBe(false);
  });

  it("is started again with its data when it dies and a process keeps it running, and not while that process stops", async () => {
    const redis = await start({ keepRunning: true });
    await ask(redis.url, (client) => client.set("kept", "1"));
    // Everything is on disk after a second, or after an orderly end.
    process.kill(redis.pid, "SIGTERM");
    const kept = () => ask(redis.url, (client) => client.get("kept")).catch(() => null);
    await until(async () => (await kept()) === "1", { what: "Redis is back on its port" });
    await redis.stop();
    expect(await kept()).toBeNull();
  });

  it("is started once when two processes come at the same time", async () => {
    const holders = await Promise.all([holdService("redis", dataDir), holdService("redis", dataDir)]);
    expect(holders.map((holder) => holder.attached).sort()).toEqual([false, true]);
    await Promise.all(holders.map((holder) => holder.leave()));
    expect(await isProcessAlive(holders[0]?.pid ?? 0)).toBe(false);
  });

  it("starts again after the server itself was killed", async () => {
    const first = await start();
    process.kill(first.pid, "SIGKILL");
    await waitForExit(first.pid, 10_000);
    const second = await start();
    expect(second.attached).toBe(false);
    await second.stop();
    await first.stop();
    expect(await isProcessAlive(second.pid)).toBe(false);
  });
});
