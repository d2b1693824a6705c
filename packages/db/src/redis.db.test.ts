import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { freePort } from "@sluice/testing/ports";
import type { TestRedis } from "@sluice/testing/redis";
import { startTestRedis } from "@sluice/testing/redis";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkRedis, createRedis, waitForRedis } from "./redis.ts";
import { createRedisGate } from "./redis-gate.ts";
import { defineScript, runScript } from "./redis-script.ts";

let server: TestRedis;
let redis: Redis;
const statuses: string[] = [];

beforeEach(async () => {
  server = await startTestRedis();
  statuses.length = 0;
  redis = createRedis(server.url, { name: "test", onStatus: (status) => statuses.push(status) });
  expect(await waitForRedis(redis, 10_000)).toBe(true);
});

afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

describe("the Redis client", () => {
  it("fails at once while Redis is away and works again when it is back", async () => {
    await redis.set("n", "1");
    await server.kill();
    await until(() => redis.status !== "ready", { what: "the loss is noticed" });
    await expect(redis.get("n")).rejects.toThrow();
    await server.restart();
    await until(() => redis.ping(), { what: "the client is back" });
    expect(statuses[0]).toBe("ready");
    expect(statuses).toContain("lost");
    expect(statuses.at(-1)).toBe("ready");
  });

  it("does not wait for a Redis that hangs, and does not send the command a second time", async () => {
    await redis.set("n", "0");
    server.pause();
    await expect(redis.incr("n")).rejects.toThrow(/timed out/);
    server.resume();
    // The command sent before the pause is executed once; nothing is repeated.
    expect(await until(() => redis.get("n"), { what: "it answers again" })).toBe("1");
  });

  it("does not count an answer as late that arrived while this process was busy", async () => {
    const gate = createRedisGate({
      ...{ redis, log: silentLog, meanwhile: "nothing", onRecover: () => undefined },
      ...{ timeoutMs: 100, failuresToShut: 1 },
    });
    await redis.set("n", "1");
    const answers = [redis.get("n"), gate.run((redis) => redis.incr("m"))];
    // They are sent at the end of this turn.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    for (const end = performance.now() + 700; performance.now() < end; );
    expect(await Promise.all(answers)).toEqual(["1", 1]);
    expect(gate.isOpen()).toBe(true);
    gate.close();
  });

  it("sends commands again at once to a Redis that was late", async () => {
    const patient = createRedis(server.url, { name: "test", commandTimeoutMs: 10_000 });
    await waitForRedis(patient, 10_000);
    const gate = createRedisGate({
      ...{ redis: patient, log: silentLog, meanwhile: "nothing", onRecover: () => undefined },
      ...{ timeoutMs: 50, failuresToShut: 1, probeEveryMs: 3_600_000 },
    });
    server.pause();
    await expect(gate.run((redis) => redis.get("n"))).rejects.toThrow(/no answer/);
    expect(gate.isOpen()).toBe(false);
    server.resume();
    await until(() => gate.isOpen(), { what: "it is open again" });
    gate.close();
    patient.disconnect();
  });

  it("does not repeat commands that a lost connection cut off", async () => {
    server.pause();
    const cut = redis.incr("n");
    await Promise.all([expect(cut).rejects.toThrow(), server.kill()]);
    await server.restart();
    await until(() => redis.ping(), { what: "the client is back" });
    expect(await redis.get("n")).toBeNull();
  });
});

describe("commands", () => {
  it("are released by collections of the young generation", async () => {
    const script = fileURLToPath(new URL("../test/redis-young.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, server.url]);
    // Each command sends and receives 1,000 bytes.
    expect(Number(stdout)).toBeLessThan(200);
  });
});

describe("scripts", () => {
  const append = defineScript("return redis.call('APPEND', KEYS[1], ARGV[1])");
  const length = defineScript("return redis.call('STRLEN', KEYS[1])");

  it("run in the order in which they are asked for, new to the server or not", async () => {
    await runScript(redis, length, ["text"], []);
    const asked = [runScript(redis, append, ["text"], ["ab"]), runScript(redis, length, ["text"], [])];
    expect(await Promise.all(asked)).toEqual([2, 2]);
  });

  it("run on a server that has forgotten them, and on one that was started anew", async () => {
    await runScript(redis, append, ["text"], ["ab"]);
    await redis.script("FLUSH");
    expect(await runScript(redis, append, ["text"], ["cd"])).toBe(4);
    await server.kill();
    await server.restart();
    await until(() => redis.ping(), { what: "the client is back" });
    expect(await runScript(redis, append, ["text"], ["ef"])).toBe(2);
  });
});

describe("checkRedis", () => {
  it("accepts a primary that never evicts", async () => {
    expect(await checkRedis(redis)).toEqual({ reachable: true, version: expect.stringMatching(/^\d+\.\d+/), warnings: [] });
  });

  it("says when nothing answers", async () => {
    const other = createRedis(`redis://127.0.0.1:${await freePort()}`, { name: "test" });
    expect(await checkRedis(other, { deadlineMs: 100 })).toMatchObject({ reachable: false });
    other.disconnect();
  });

  it("warns of an eviction policy and refuses one that is in force", async () => {
    await redis.config("SET", "maxmemory-policy", "allkeys-lru");
    expect((await checkRedis(redis)).warnings).toEqual([expect.stringContaining("noeviction")]);
    await redis.config("SET", "maxmemory", "100mb");
    await expect(checkRedis(redis)).rejects.toThrow(/set it to noeviction/);
  });

  it("refuses a cluster and a replica", async () => {
    const cluster = await startTestRedis({ args: ["--cluster-enabled", "yes"] });
    const client = createRedis(cluster.url, { name: "test" });
    await expect(checkRedis(client)).rejects.toThrow(/Redis Cluster/);
    client.disconnect();
    await cluster.stop();
    await redis.replicaof("127.0.0.1", await freePort());
    await expect(checkRedis(redis)).rejects.toThrow(/replica/);
  });
});
