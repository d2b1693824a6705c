import { cacheKindNames, cacheKinds, cacheSetting } from "@sluice/core/cache-kinds";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { counter, everybody, type Instance, newPrefix, of, read, start } from "../test/instances.ts";

let server: TestRedis;
let a: Instance;
let b: Instance;
let prefix: string;

beforeAll(async () => {
  server = await startTestRedis();
});
beforeEach(async () => {
  prefix = newPrefix();
  [a, b] = [await start(server.url, { prefix }), await start(server.url, { prefix })];
});
afterAll(() => server.stop());

/** Names of the entries in Redis. */
const keptNames = async (): Promise<string[]> => (await a.redis?.keys(`${prefix}cache:entry:*`)) ?? [];
const commandsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const count = async () => Number(/total_commands_processed:(\d+)/.exec((await b.redis?.info("stats")) ?? "")?.[1]);
  const before = await count();
  await work();
  return (await count()) - before - 1;
};

describe("P05: get, set, delete", () => {
  test("a second read is the first one's answer, also elsewhere; after an invalidation it is computed anew", async () => {
    const value = counter();
    expect(await read(a, value.next)).toMatchObject({ value: 1, cache: "miss" });
    expect(await read(a, value.next)).toMatchObject({ value: 1, cache: "hit" });
    expect(await read(b, value.next)).toMatchObject({ value: 1, cache: "hit" });
    await a.cache.invalidate("namespace:stats");
    expect(await read(a, value.next)).toMatchObject({ value: 2, cache: "miss" });
    await until(async () => (await read(b, value.next)).value === 2, { what: "the other instance has the newer one" });
    expect(value.count()).toBe(2);
  });
});

describe("lifetimes", () => {
  test("W20: what is kept in Redis has the lifetime of the table, within a second", async () => {
    for (const kind of cacheKindNames) await read(a, () => 1, { kind });
    const names = await keptNames();
    expect(names).toHaveLength(cacheKindNames.length);
    for (const kind of cacheKindNames) {
      const name = names.find((each) => each.includes(`:entry:${kind}:`)) ?? "";
      const ttlS = await a.redis?.ttl(name);
      expect([cacheKinds[kind], cacheKinds[kind] - 1], kind).toContain(ttlS);
      expect(defaultSettings()[cacheSetting(kind)]).toBe(cacheKinds[kind]);
    }
  });

  test("P06: an expired entry is gone from Redis, as if it had never existed", async () => {
    a.settings["cache.statsSeconds"] = 1;
    await read(a, () => 1);
    const [name = ""] = await keptNames();
    expect(await a.redis?.pttl(name)).toBeGreaterThan(0);
    await until(async () => (await a.redis?.pttl(name)) === -2, { what: "it is gone" });
    expect(await a.redis?.ttl(`${prefix}cache:entry:none`)).toBe(-2);
  });

  test("P39: a change that no message announced is noticed within a minute, however long the lifetime", async () => {
    const clock = { at: 1_000 };
    const one = await start(server.url, { prefix, clock: { now: () => Date.now(), monotonic: () => clock.at } });
    const value = counter();
    await read(one, value.next, { kind: "config" });
    // Another process invalidated it, and this one was never told.
    for (const name of await keptNames()) await one.redis?.del(name);
    clock.at += 59_000;
    expect(await read(one, value.next, { kind: "config" })).toMatchObject({ value: 1, cache: "hit" });
    clock.at += 1_001;
    expect(await read(one, value.next, { kind: "config" })).toMatchObject({ value: 2, cache: "miss" });
  });

  test("P12: the lifetime is a setting; an expired answer is computed again, and asOf gives its time", async () => {
    const value = counter();
    a.settings["cache.statsSeconds"] = 1;
    const first = await read(a, value.next);
    expect(Math.abs(Date.now() - first.asOf)).toBeLessThan(5_000);
    expect(await read(a, value.next)).toEqual({ ...first, cache: "hit" });
    const second = await until(
      async () => {
        const answer = await read(a, value.next);
        return answer.value === 2 && answer;
      },
      { what: "it has run out" },
    );
    expect(second.asOf - first.asOf).toBeGreaterThan(850);
  });
});

describe("P08: values", () => {
  test("come back as they were, on this instance and on the other", async () => {
    const shared = { a: 1 };
    const values = [
      "123",
      "true",
      "{}",
      "",
      0,
      -1.5,
      true,
      null,
      undefined,
      12n,
      "é𝄞\u0000",
      [],
      [null, "1"],
      { a: { b: [new Date(0)] } },
      [shared, shared],
    ];
    for (const [input, value] of values.entries()) {
      expect((await read(a, () => value, { input })).value).toEqual(value);
      const answers = [await read(a, () => "never", { input }), await read(b, () => "never", { input })];
      for (const answer of answers) expect(answer).toMatchObject({ cache: "hit" });
      for (const answer of answers) expect(answer.value).toStrictEqual(value);
    }
  });

  test("belong to all readers: nobody can change one", async () => {
    const answer = await read(a, () => ({ list: [1] }));
    expect(() => answer.value.list.push(2)).toThrow(TypeError);
  });
});

describe("single flight", () => {
  test("H19: 100 cold reads over two instances compute once, and all get the answer", async () => {
    const value = counter();
    const gate = Promise.withResolvers<void>();
    const reads = Array.from({ length: 100 }, (_, at) =>
      read(at % 2 ? a : b, async () => {
        await gate.promise;
        return value.next();
      }),
    );
    await until(async () => (await a.redis?.keys(`${prefix}cache:lock:*`))?.length === 1, { what: "one of them computes" });
    gate.resolve();
    for (const answer of await Promise.all(reads)) expect(answer.value).toBe(1);
    expect(value.count()).toBe(1);
  });

  test("when the computing instance dies, another one that waited for its lock computes", async () => {
    const before = a.cache.lockConflicts();
    const dying = await start(server.url, { prefix, timing: { lockMs: 300 } });
    const never = Promise.withResolvers<number>();
    void read(dying, () => never.promise);
    await until(async () => (await a.redis?.keys(`${prefix}cache:lock:*`))?.length === 1, { what: "it computes" });
    const waiting = read(a, () => 2);
    dying.redis?.disconnect();
    expect(await waiting).toMatchObject({ value: 2, cache: "miss" });
    expect(a.cache.lockConflicts()).toBe(before + 1);
  });

  test("a computation that outlasts its lock is waited for all the same", async () => {
    const slow = await start(server.url, { prefix, timing: { lockMs: 150 } });
    const value = counter();
    const gate = Promise.withResolvers<void>();
    const first = read(slow, async () => {
      await gate.promise;
      return value.next();
    });
    const second = read(a, value.next);
    const name = await until(async () => (await a.redis?.keys(`${prefix}cache:lock:*`))?.[0], { what: "it computes" });
    const renewed = new Set<number>();
    await until(
      async () => {
        renewed.add((await a.redis?.pttl(name)) ?? 0);
        return renewed.size > 20;
      },
      { what: "the lock is renewed" },
    );
    gate.resolve();
    expect((await Promise.all([first, second])).map((answer) => answer.value)).toEqual([1, 1]);
  });

  test("W18: null is kept, failures are not", async () => {
    const nothing = counter();
    const none = () => read(a, () => (nothing.next() > 0 ? null : 1), { input: "none" });
    expect([(await none()).value, (await none()).value]).toEqual([null, null]);
    expect(nothing.count()).toBe(1);

    const failing = counter();
    const fail = () => read(a, () => Promise.reject(new Error(`no ${failing.next()}`)));
    await expect(Promise.all([fail(), fail()])).rejects.toThrow("no 1");
    await expect(fail()).rejects.toThrow("no 2");
    expect(await read(b, () => 3)).toMatchObject({ value: 3, cache: "miss" });
  });
});

describe("P33: many at a time", () => {
  test("no answer is lost or mixed up", async () => {
    const asked = Array.from({ length: 100 }, (_, input) => input);
    for (const instance of [a, b, a]) {
      const answers = await Promise.all(asked.map((input) => read(instance, () => ({ of: input }), { input })));
      expect(answers.map(({ value }) => value.of)).toEqual(asked);
    }
  });
});

describe("P13: invalidation", () => {
  test("of one user leaves the other, of one kind leaves the others", async () => {
    const value = counter();
    const [user, other] = [of("u1"), of("u2")];
    const all = () =>
      Promise.all([read(b, value.next, { scope: user }), read(b, value.next, { scope: other }), read(b, value.next, { kind: "trend" })]);
    const [first, second, third] = (await all()).map((answer) => answer.value);
    await a.cache.invalidate("user:u1");
    await until(async () => (await all())[0]?.value === 4, { what: "the user's is computed anew" });
    expect((await all()).map((answer) => answer.value)).toEqual([4, second, third]);
    await a.cache.invalidate("namespace:trend");
    await until(async () => (await all())[2]?.value === 5, { what: "the trend is computed anew" });
    expect((await all()).map((answer) => answer.value)).toEqual([4, second, 5]);
    expect(first).toBe(1);
  });

  test("an answer whose computation began before it goes to those who asked before, and is not stored", async () => {
    const gate = Promise.withResolvers<void>();
    const old = read(
      a,
      async () => {
        await gate.promise;
        return "old";
      },
      { tags: ["key:k"] },
    );
    await until(async () => (await a.redis?.keys(`${prefix}cache:lock:*`))?.length === 1, { what: "it computes" });
    await b.cache.invalidate("key:k");
    // Later callers do not wait for it.
    expect(await read(b, () => "new", { tags: ["key:k"] })).toMatchObject({ value: "new", cache: "miss" });
    gate.resolve();
    expect((await old).value).toBe("old");
    for (const instance of [a, b])
      expect(await read(instance, () => "never", { tags: ["key:k"] })).toMatchObject({ value: "new", cache: "hit" });
  });

  test("an answer computed under an older configuration than the change's is not stored", async () => {
    a.config.version = "2";
    await a.cache.invalidate("provider:p");
    const late = () => read(b, () => b.config.version, { tags: ["provider:p"] });
    expect(await late()).toMatchObject({ value: "1", cache: "miss" });
    b.config.version = "2";
    expect(await late()).toMatchObject({ value: "2", cache: "miss" });
    expect(await late()).toMatchObject({ value: "2", cache: "hit" });
  });
});

describe("P46: two tiers", () => {
  test("the second read in a process sends no command, and the other instance's change reaches it", async () => {
    const value = counter();
    await read(a, value.next);
    await read(b, value.next);
    expect(await commandsOf(() => Promise.all([read(a, value.next), read(b, value.next)]))).toBe(0);
    await b.cache.invalidate("namespace:stats");
    await until(async () => (await read(a, value.next)).value === 2, { what: "it is computed anew" });
  });
});

describe("P07: clearing a kind", () => {
  test("takes its ten thousand entries and leaves the others, without KEYS", async () => {
    const prefix = newPrefix();
    const one = await start(server.url, { prefix });
    for (let at = 0; at < 10_000; at += 1_000)
      await Promise.all(Array.from({ length: 1_000 }, (_, of) => read(one, () => 1, { input: at + of })));
    await read(one, () => 1, { kind: "trend" });
    await one.redis?.config("RESETSTAT");
    expect(await one.cache.clear("stats")).toBe(10_000);
    const stats = (await one.redis?.info("commandstats")) ?? "";
    expect(stats).not.toMatch(/cmdstat_keys:/);
    expect(stats).toMatch(/cmdstat_zscan:/);
    expect(stats).toMatch(/cmdstat_unlink:/);
    expect(await read(one, () => 2)).toMatchObject({ value: 2, cache: "miss" });
    expect(await read(one, () => 2, { kind: "trend" })).toMatchObject({ value: 1, cache: "hit" });
    expect(await one.redis?.zcard(`${prefix}cache:index`)).toBe(2);
  });
});

describe("P14: figures", () => {
  test("R15: 2 hits and 1 miss are 0.67, and the reads; reset takes all to zero, everywhere", async () => {
    for (let at = 0; at < 3; at++) await read(a, () => "value");
    const { hits, misses, entries, bytes } = a.cache.figures().stats;
    expect({ hits, misses, entries }).toEqual({ hits: 2, misses: 1, entries: 1 });
    expect(Math.round((hits / (hits + misses)) * 100) / 100).toBe(0.67);
    expect(bytes).toBeGreaterThan(0);
    await read(b, () => "value");
    expect(b.cache.figures().stats.hits).toBe(1);
    await a.cache.resetFigures();
    const none = { hits: 0, misses: 0, bypasses: 0, errors: 0, writesFailed: 0 };
    expect(a.cache.figures().stats).toMatchObject(none);
    await until(() => b.cache.figures().stats.hits === 0, { what: "the other one is reset, too" });
  });
});

describe("P28: repeats", () => {
  test("who reads every five seconds for five minutes is answered from memory four times of five", async () => {
    const clock = { at: 1_000 };
    const one = await start(null, { prefix, clock: { now: () => clock.at, monotonic: () => clock.at } });
    for (; clock.at < 301_000; clock.at += 5_000) await read(one, () => clock.at);
    const { hits, misses } = one.cache.figures().stats;
    expect(hits + misses).toBe(60);
    expect(hits / 60).toBeGreaterThan(0.8);
  });
});

describe("R17: what has run out", () => {
  test("is not kept: neither here nor in Redis' list of entries; and both are bounded", async () => {
    const prefix = newPrefix();
    const small = await start(server.url, { prefix, limits: { entries: 10, redisEntries: 20 } });
    for (let input = 0; input < 30; input++) await read(small, () => "x".repeat(100), { input });
    expect(small.cache.figures().stats.entries).toBe(10);
    expect(await small.redis?.zcard(`${prefix}cache:index`)).toBe(20);
    expect((await small.redis?.keys(`${prefix}cache:entry:*`))?.length).toBe(20);
    small.settings["cache.trendSeconds"] = 1;
    await read(small, () => "short", { kind: "trend" });
    await until(async () => (await small.redis?.keys(`${prefix}cache:entry:trend:*`))?.length === 0, { what: "it has run out" });
    await read(small, () => "other", { kind: "keys", scope: everybody });
    const left = await small.redis?.zrange(`${prefix}cache:index`, "0", "-1");
    expect(left?.filter((name) => name.includes(":trend:"))).toEqual([]);
    const sizes = (await small.redis?.hgetall(`${prefix}cache:sizes`)) ?? {};
    const { total, ...each } = sizes;
    expect(Object.keys(each).sort()).toEqual(left?.sort());
    expect(Number(total)).toBe(Object.values(each).reduce((sum, bytes) => sum + Number(bytes), 0));
  });
});
