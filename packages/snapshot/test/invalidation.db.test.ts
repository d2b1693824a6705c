import { createRedis, waitForRedis } from "@sluice/db/redis";
import { hashToken } from "@sluice/db/secrets";
import { announceConfigChange } from "@sluice/snapshot/config-version";
import { until } from "@sluice/testing/deadline";
import { makeKey, makeProvider } from "@sluice/testing/factories";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createWorld, keptLog, type World } from "./arrange.ts";

let world: World;
let server: TestRedis;
const connections: Redis[] = [];

beforeAll(async () => {
  world = await createWorld();
  server = await startTestRedis();
});
afterEach(async () => {
  await world.tidy();
  for (const redis of connections.splice(0)) redis.disconnect();
});
afterAll(async () => {
  await world.close();
  await server.stop();
});

async function redisClient(): Promise<Redis> {
  const redis = createRedis(server.url, { name: "test" });
  connections.push(redis);
  await waitForRedis(redis, 5_000);
  return redis;
}

/** Never polls within a test. */
const deaf = { pollMs: 3_600_000 };

async function saveFailures(value: number): Promise<string> {
  await world.database.prisma.setting.upsert({
    where: { tenantId_name: { tenantId: "default", name: "breaker.failures" } },
    create: { name: "breaker.failures", value },
    update: { value },
  });
  return world.bump();
}

describe("H09 settings in memory", () => {
  test("reading them under load asks Postgres nothing", async () => {
    const wire = await world.wire();
    const snapshot = await world.start({ pool: wire.pool, timing: deaf });
    const visits = wire.visits();
    for (let i = 0; i < 100_000; i++) expect(snapshot.current().settings["breaker.failures"]).toBeGreaterThan(0);
    expect(wire.visits()).toBe(visits);
  });

  test("saved on A, in force on B by the message alone", async () => {
    const redis = await redisClient();
    const b = await world.start({ redis: await redisClient(), timing: deaf });
    // Until B listens, messages are lost: publish until one was received.
    const heard = await until(async () => (await redis.publish("sluice:config", b.current().version)) > 0, { what: "B listens" });
    expect(heard).toBe(true);
    const version = await saveFailures(7);
    expect(await announceConfigChange(redis, version)).toBe(true);
    // The promise is one second; the test allows five.
    await until(() => b.current().settings["breaker.failures"] === 7, { what: "the setting is in force on B", deadlineMs: 5_000 });
    expect(b.current().version).toBe(version);
  });

  test("saved while B did not listen: read when it listens again", async () => {
    const b = await world.start({ redis: await redisClient(), timing: { ...deaf, minCheckMs: 50 } });
    await server.kill();
    const version = await saveFailures(11);
    await server.restart();
    await until(() => b.current().version === version, { what: "B has caught up", deadlineMs: 15_000 });
    expect(b.current().settings["breaker.failures"]).toBe(11);
  });

  test("Postgres down: cached data stays in force, with one attempt per back-off and not per call", async () => {
    await saveFailures(8);
    const wire = await world.wire();
    const log = keptLog();
    const timing = { ...deaf, minCheckMs: 1, backOffMs: 60_000, maxBackOffMs: 60_000 };
    const snapshot = await world.start({ pool: wire.pool, timing, log });
    wire.cut();
    let attempts = 0;
    wire.pool.on("connect", () => attempts++);
    const visits = wire.visits();
    for (let i = 0; i < 500; i++) {
      await expect(snapshot.findKey(`unknown-${i}`)).rejects.toMatchObject({ code: "unavailable", status: 503 });
      expect(snapshot.current().settings["breaker.failures"]).toBe(8);
    }
    expect(wire.visits() - visits + attempts).toBeLessThanOrEqual(1);
    expect(log.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  test("Postgres back: changes take effect again without a restart", async () => {
    const wire = await world.wire();
    const timing = { pollMs: 30, minCheckMs: 10, backOffMs: 20, maxBackOffMs: 40, deadlineMs: 300 };
    const snapshot = await world.start({ pool: wire.pool, timing });
    wire.freeze();
    const unavailable = (): Promise<boolean> =>
      snapshot.findKey("unknown").then(
        () => false,
        ({ code }) => code === "unavailable",
      );
    await until(unavailable, { what: "a frozen Postgres is given up" });
    const version = await saveFailures(12);
    wire.heal();
    await until(() => snapshot.current().version === version, { what: "the change is in force" });
    expect(snapshot.current().settings["breaker.failures"]).toBe(12);
  });
});

describe("H08 a provider changed on another instance", () => {
  test("appears within the polling interval when the message was dropped", async () => {
    // The default bound is 15 s of polling plus an answer, so under 30 s. Here it is 50 ms.
    const b = await world.start({ timing: { pollMs: 50, minCheckMs: 10 } });
    const provider = await makeProvider(world.database.prisma);
    await world.bump();
    await until(() => b.current().providers.some(({ id }) => id === provider.id), { what: "B has the provider" });
  });

  test("appears by message when it was not", async () => {
    const redis = await redisClient();
    const b = await world.start({ redis: await redisClient(), timing: deaf });
    await until(async () => (await redis.publish("sluice:config", b.current().version)) > 0, { what: "B listens" });
    const provider = await makeProvider(world.database.prisma);
    await announceConfigChange(redis, await world.bump());
    await until(() => b.current().providers.some(({ id }) => id === provider.id), { what: "B has the provider", deadlineMs: 5_000 });
  });

  test("an unchanged version costs one small query a poll and no load", async () => {
    const wire = await world.wire();
    const snapshot = await world.start({ pool: wire.pool, timing: { pollMs: 20, minCheckMs: 1 } });
    const before = snapshot.current();
    const visits = wire.visits();
    await until(() => wire.visits() >= visits + 5, { what: "five polls" });
    expect(snapshot.current()).toBe(before);
  });

  test("having no subscriber is not an error", async () => {
    const redis = createRedis("redis://127.0.0.1:1", { name: "nobody" });
    connections.push(redis);
    expect(await announceConfigChange(redis, "5")).toBe(false);
  });
});

describe("R14 the backstop", () => {
  test("a manual edit of the database, with no message and no new version, is in force within two polls", async () => {
    // The promise is 30 s: PostgreSQL counts a write within 10 s, and polling happens every 15 s. Here it is 50 ms.
    const b = await world.start({ timing: { pollMs: 50, minCheckMs: 10 } });
    const { id } = await makeProvider(world.database.prisma);
    await until(() => b.current().providers.some((provider) => provider.id === id), { what: "B has the provider", deadlineMs: 50_000 });
    await world.database.pool.query("UPDATE providers SET weight = 77 WHERE id = $1", [id]);
    await until(() => b.current().providers.find((provider) => provider.id === id)?.weight === 77, {
      what: "B has the edit",
      deadlineMs: 50_000,
    });
  });
});

describe("R09 the configuration under load", () => {
  test("a thousand requests for keys, providers, prices and rules ask PostgreSQL nothing", async () => {
    const wire = await world.wire();
    const { key, secret } = await makeKey(world.database.prisma);
    const snapshot = await world.start({ pool: wire.pool, timing: deaf });
    const visits = wire.visits();
    for (let at = 0; at < 1_000; at++) {
      expect((await snapshot.findKey(hashToken(secret)))?.id).toBe(key.id);
      const { providers, prices, settings } = snapshot.current();
      expect([Array.isArray(providers), prices.size >= 0, settings["routing.rules"]]).toEqual([true, true, []]);
    }
    expect(wire.visits()).toBe(visits);
  });
});

describe("a key that is not known here", () => {
  test("made elsewhere without any message: works at its first request", async () => {
    const snapshot = await world.start({ timing: deaf });
    const { key } = await makeKey(world.database.prisma);
    await world.bump();
    expect(await snapshot.findKey(key.sha256)).toMatchObject({ id: key.id });
    expect(await snapshot.findKey(key.sha256)).toBe(snapshot.current().keysBySha256.get(key.sha256));
  });

  test("a key created right after a lookup for an unknown one works too", async () => {
    const snapshot = await world.start({ timing: { ...deaf, minCheckMs: 200 } });
    expect(await snapshot.findKey("nobody")).toBeNull();
    const { key } = await makeKey(world.database.prisma);
    await world.bump();
    expect(await snapshot.findKey(key.sha256)).toMatchObject({ id: key.id });
  });

  test("2,000 unknown keys at once: one query to Postgres, no key is admitted, waiting is bounded", async () => {
    const wire = await world.wire();
    const snapshot = await world.start({ pool: wire.pool, timing: deaf });
    const visits = wire.visits();
    const answers = await Promise.allSettled(Array.from({ length: 2_000 }, (_, i) => snapshot.findKey(`stranger-${i}`)));
    // A write of the previous test, which PostgreSQL counts with a delay, causes one read.
    const asked = wire.visits() - visits;
    expect(asked).toBeLessThanOrEqual(2);
    const refused = answers.filter((answer) => answer.status === "fulfilled" && answer.value === null);
    const busy = answers.filter((answer) => answer.status === "rejected" && answer.reason.code === "unavailable");
    expect([refused.length, busy.length]).toEqual([1_000, 1_000]);
    // When asked again at once, the same unknown key causes no query.
    expect(await snapshot.findKey("stranger-0")).toBeNull();
    expect(wire.visits() - visits).toBe(asked);
  });

  test("revoked: refused without asking, also while Postgres is down", async () => {
    const wire = await world.wire();
    const { key } = await makeKey(world.database.prisma, { revokedAt: new Date() });
    await world.bump();
    const snapshot = await world.start({ pool: wire.pool, timing: deaf });
    wire.cut();
    expect(await snapshot.findKey(key.sha256)).toBeNull();
    await expect(snapshot.findKey("unknown")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("after closing nothing is queried any more", async () => {
    const snapshot = await world.start({ timing: { ...deaf, minCheckMs: 60_000 } });
    expect(await snapshot.findKey("first")).toBeNull();
    const waiting = expect(snapshot.findKey("second")).rejects.toMatchObject({ code: "unavailable" });
    await snapshot.close();
    await waiting;
  });
});
