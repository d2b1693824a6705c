import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connect, createAccounts, left, start, unique } from "../test/credits.ts";
import type { CreditOptions } from "./credit.ts";

let server: TestRedis;
beforeEach(async () => {
  server = await startTestRedis();
});
afterEach(() => server.stop());

/** Background work happens only when a test asks for it. */
const still = { beatMs: 3_600_000, rebuildMs: 3_600_000 };

test("what one instance granted while Redis was frozen counts from the moment Redis answers again", async () => {
  const accounts = createAccounts();
  const credit = await start(accounts, server.url);
  const redis = await connect(server.url);
  const userId = unique("user");
  accounts.balances.set(userId, 10);
  const first = unique("r");
  expect(await credit.reserve(first, userId, 1)).toBeNull();
  credit.release(first);
  await until(() => credit.stats().others === 0 && accounts.reads > 1, { what: "it knows the balance, and that it is alone" });
  server.pause();
  // Enough of them to give Redis up.
  expect(await Promise.all([1, 2, 3].map(() => left(credit, userId)))).toEqual([10, 10, 10]);
  const meanwhile = unique("r");
  expect(await credit.reserve(meanwhile, userId, 8)).toBeNull();
  expect(await credit.reserve(unique("r"), userId, 8)).toEqual({ availableNanoUsd: 2, neededNanoUsd: 8 });
  server.resume();
  // Refused at each moment, whoever decides.
  await until(
    async () => {
      for (let n = 0; n < 50; n++) {
        expect(await credit.reserve(unique("r"), userId, 8)).toMatchObject({ neededNanoUsd: 8 });
        await new Promise(setImmediate);
      }
      return (await redis.hexists(`sluice:credit:${userId}`, `r:${meanwhile}`)) === 1;
    },
    { what: "Redis knows of it", everyMs: 1 },
  );
  expect(await left(credit, userId)).toBe(2);
});

test("a row whose commit Redis has not heard of counts at every moment of the next reading", async () => {
  const accounts = createAccounts();
  const reading = Promise.withResolvers<void>();
  let isSlow = false;
  const load: CreditOptions["load"] = async (...asked) => {
    if (isSlow) await reading.promise;
    return accounts.load(...asked);
  };
  const [a, b] = [await start(accounts, server.url, { timing: still, load }), await start(accounts, server.url, { timing: still })];
  const [userId, id] = [unique("user"), unique("r")];
  accounts.balances.set(userId, 10);
  expect(await a.reserve(id, userId, 8)).toBeNull();
  const redis = await connect(server.url);
  // The settlement is lost: as if its connection had ended just then.
  const held = await redis.hget(`sluice:credit:${userId}`, `r:${id}`);
  accounts.commit(userId, id, 8);
  a.settled([id]);
  await until(async () => (await redis.hexists(`sluice:credit:${userId}`, `r:${id}`)) === 0, { what: "the settlement has arrived" });
  await redis
    .multi()
    .hset(`sluice:credit:${userId}`, { available: "10", open: "8", [`r:${id}`]: String(held) })
    .zadd(`sluice:credit:${userId}:lapse`, Date.now() + 900_000, id)
    .exec();
  isSlow = true;
  const refreshed = a.refresh([userId]);
  const begun = async () => (await redis.info("commandstats")).includes("hgetall");
  await until(begun, { what: "the reading has begun" });
  expect(await left(b, userId)).toBe(2);
  reading.resolve();
  await refreshed;
  expect(await left(b, userId)).toBe(2);
  expect(await redis.hgetall(`sluice:credit:${userId}`)).toMatchObject({ available: "2", open: "0" });
});

test("while Postgres is down, what is spent does not lapse, and comes back to a Redis that was emptied", async () => {
  const accounts = createAccounts();
  const timing = { holdMs: 400, rebuildMs: 100, beatMs: 50 };
  const [a, b] = [await start(accounts, server.url, { timing }), await start(accounts, server.url, { timing })];
  const users = [unique("user"), unique("user"), unique("user")];
  for (const userId of users) {
    accounts.balances.set(userId, 10);
    const id = unique("r");
    expect(await a.reserve(id, userId, 8)).toBeNull();
    a.spend(id, 7);
    expect(await until(() => left(b, userId), { what: "B knows the user" })).toBe(3);
  }
  accounts.gone = true;
  const goneAtMs = performance.now();
  await until(() => performance.now() - goneAtMs > timing.holdMs * 2, { what: "two lifetimes of a reservation have passed" });
  for (const userId of users) expect(await left(b, userId)).toBe(3);
  const redis = await connect(server.url);
  await redis.flushall();
  const parts = () => Promise.all(users.map((userId) => redis.hget(`sluice:credit:${userId}`, "open")));
  await until(async () => (await parts()).every((open) => open === "7"), { what: "all parts are back, without their balances" });
  accounts.gone = false;
  for (const userId of users) {
    const remainder = await until(() => left(b, userId).catch(() => undefined), { what: "B is answered" });
    expect(remainder).toBe(3);
  }
});

test("a reservation that Redis grants after its request was refused is given back", async () => {
  const accounts = createAccounts();
  const [a, b] = [await start(accounts, server.url, { timing: still }), await start(accounts, server.url, { timing: still })];
  const userId = unique("user");
  accounts.balances.set(userId, 10);
  expect(await left(b, userId)).toBe(10);
  await until(() => b.stats().others === 1, { what: "B knows of A" });
  // Of several, none decides alone; A has not heard of any yet, and does not know the user.
  server.pause();
  await expect(a.reserve(unique("r"), userId, 8)).rejects.toMatchObject({ code: "unavailable" });
  server.resume();
  await until(async () => (await left(b, userId)) === 10, { what: "nothing is reserved" });
});

test("nothing is kept on Redis for good", async () => {
  const accounts = createAccounts();
  const credit = await start(accounts, server.url, { timing: still });
  const redis = await connect(server.url);
  const [userId, id] = [unique("user"), unique("r")];
  const keys = [`sluice:credit:${userId}`, `sluice:credit:${userId}:lapse`];
  const kept = async () => (await Promise.all(keys.map((key) => redis.pttl(key)))).map((ms) => ms === -1);
  accounts.balances.set(userId, 10);
  expect(await credit.reserve(id, userId, 5)).toBeNull();
  expect(await kept()).toEqual([false, false]);
  await redis.del(keys);
  credit.spend(id, 4);
  await until(async () => (await redis.exists(keys)) === 2, { what: "Redis knows of it" });
  expect(await kept()).toEqual([false, false]);
  await redis.del(keys);
  credit.settled([id]);
  await until(async () => (await redis.exists(keys)) === 1, { what: "Redis knows of the end" });
  expect(await kept()).toEqual([false, false]);
});
