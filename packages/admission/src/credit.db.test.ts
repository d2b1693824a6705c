import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Accounts, atEnd, createAccounts, left, start, unique } from "../test/credits.ts";
import type { Credit, CreditOptions } from "./credit.ts";

let server: TestRedis;

beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(async () => {
  await server.stop();
});

describe.each([
  { keeper: "in process", shared: false },
  { keeper: "on Redis", shared: true },
])("credit, kept $keeper", ({ shared }) => {
  const url = () => (shared ? server.url : null);

  test("50 parallel requests on credit for 10: exactly 10", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url());
    const userId = unique("user");
    accounts.balances.set(userId, 1_000);
    const answers = await Promise.all(Array.from({ length: 50 }, () => credit.reserve(unique("r"), userId, 100)));
    expect(answers.filter((refusal) => refusal === null)).toHaveLength(10);
    expect(answers.find((refusal) => refusal !== null)).toEqual({ availableNanoUsd: 0, neededNanoUsd: 100 });
  });

  test("a request that costs less than reserved frees the rest at once; its row does not change the remainder again", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url());
    const [userId, id] = [unique("user"), unique("r")];
    accounts.balances.set(userId, 10);
    expect(await credit.reserve(id, userId, 8)).toBeNull();
    expect(await left(credit, userId)).toBe(2);
    credit.spend(id, 3);
    expect(await left(credit, userId)).toBe(7);
    accounts.commit(userId, id, 3);
    expect(await left(credit, userId)).toBe(7);
    credit.settled([id]);
    expect(await left(credit, userId)).toBe(7);
    await credit.refresh([userId]);
    expect(await left(credit, userId)).toBe(7);
    expect(credit.stats()).toMatchObject({ openNanoUsd: 0 });
  });

  test("there are no phantom refusals: 10, of which 2 are used; a request for 0.6 settles, and the next one is admitted", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url());
    const userId = unique("user");
    accounts.balances.set(userId, 80);
    for (let n = 0; n < 13; n++) {
      const id = unique("r");
      expect(await credit.reserve(id, userId, 6)).toBeNull();
      credit.spend(id, 6);
      accounts.commit(userId, id, 6);
      credit.settled([id]);
    }
    expect(await credit.reserve(unique("r"), userId, 6)).toEqual({ availableNanoUsd: 2, neededNanoUsd: 6 });
  });

  test("a reading that overlaps a commit counts it once, whichever came first", async () => {
    const accounts = createAccounts();
    const gates: (() => void)[] = [];
    const load: CreditOptions["load"] = async (userIds, ids) => {
      const early = gates.length === 0 ? null : await accounts.load(userIds, ids);
      await new Promise<void>((resolve) => gates.push(resolve));
      return early ?? accounts.load(userIds, ids);
    };
    const credit = await start(accounts, url(), { load });
    const [userId, first, second] = [unique("user"), unique("r"), unique("r")];
    accounts.balances.set(userId, 100);
    const reserving = credit.reserve(first, userId, 10);
    // From here on every pending read continues.
    const pump = setInterval(() => {
      for (const go of gates) go();
    }, 5);
    atEnd(() => clearInterval(pump));
    expect(await reserving).toBeNull();
    expect(await credit.reserve(second, userId, 10)).toBeNull();
    credit.spend(first, 4);
    credit.spend(second, 5);
    accounts.commit(userId, first, 4);
    const reading = credit.refresh([userId]);
    credit.settled([first]);
    accounts.commit(userId, second, 5);
    credit.settled([second]);
    await reading;
    await credit.refresh([userId]);
    expect(await left(credit, userId)).toBe(91);
  });

  test("a reservation made while the balance is being reread is not forgotten", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url());
    const userId = unique("user");
    accounts.balances.set(userId, 10);
    expect(await left(credit, userId)).toBe(10);
    const [granted, refused] = [credit.reserve(unique("r"), userId, 8), credit.reserve(unique("r"), userId, 8)];
    const reading = credit.refresh([userId]);
    expect([await granted, await refused]).toEqual([null, { availableNanoUsd: 2, neededNanoUsd: 8 }]);
    await reading;
    expect(await left(credit, userId)).toBe(2);
  });

  test("an entry is known after its refresh, even if older readings are still running and answer later", async () => {
    const accounts = createAccounts();
    const late = Promise.withResolvers<void>();
    let slow = false;
    const load: CreditOptions["load"] = async (userIds, ids) => {
      const seen = await accounts.load(userIds, ids);
      if (slow) await late.promise;
      return seen;
    };
    const credit = await start(accounts, url(), { load });
    const userId = unique("user");
    accounts.balances.set(userId, 10);
    expect(await left(credit, userId)).toBe(10);
    const { reads } = accounts;
    slow = true;
    const older = credit.refresh([userId]);
    await until(() => accounts.reads > reads, { what: "the older reading has seen the balance" });
    slow = false;
    accounts.balances.set(userId, 4);
    const newer = credit.refresh([userId]);
    // In process, the newer read waits for the end of the older one; on Redis it is already applied by then.
    if (shared) await newer;
    late.resolve();
    await Promise.all([older, newer]);
    expect(await left(credit, userId)).toBe(4);
  });

  test("an entry is known after a refresh, a release frees the reservation, and an id counts once", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url());
    const [userId, id] = [unique("user"), unique("r")];
    expect(await credit.reserve(id, userId, 1)).toEqual({ availableNanoUsd: 0, neededNanoUsd: 1 });
    accounts.balances.set(userId, 5);
    await credit.refresh([userId]);
    expect(await credit.reserve(id, userId, 5)).toBeNull();
    expect(await credit.reserve(id, userId, 5)).toBeNull();
    credit.release(id);
    credit.release(id);
    credit.spend(id, 5);
    expect(await left(credit, userId)).toBe(5);
  });

  test("while Postgres is down, unknown users are told to retry and known ones continue", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url());
    const userId = unique("user");
    accounts.balances.set(userId, 5);
    expect(await credit.reserve(unique("r"), userId, 1)).toBeNull();
    accounts.gone = true;
    expect(await credit.reserve(unique("r"), userId, 4)).toBeNull();
    await expect(credit.reserve(unique("r"), unique("user"), 1)).rejects.toMatchObject({ code: "unavailable", retryAfterS: 5 });
  });

  test("drift is put right by a rebuild, and counted", async () => {
    const accounts = createAccounts();
    const credit = await start(accounts, url(), { timing: { rebuildMs: 30 } });
    const userId = unique("user");
    accounts.balances.set(userId, 50);
    await credit.reserve(unique("r"), userId, 5);
    accounts.balances.set(userId, 20);
    await until(() => credit.stats().driftNanoUsd > 0, { what: "the drift is found" });
    expect(credit.stats().driftNanoUsd).toBe(30);
    expect(await left(credit, userId)).toBe(15);
  });
});

test("users without recent requests are forgotten, unless they have open reservations", async () => {
  const accounts = createAccounts();
  const clock = fakeClock();
  const credit = await start(accounts, null, { clock, timing: { rebuildMs: 20 } });
  const [busy, idle] = [unique("user"), unique("user")];
  accounts.balances.set(busy, 5).set(idle, 5);
  await credit.reserve(unique("r"), busy, 1);
  await left(credit, idle);
  expect(credit.stats().users).toBe(2);
  clock.advance(11 * 60_000);
  await until(() => credit.stats().users === 1, { what: "the idle user is forgotten" });
  expect(await left(credit, busy)).toBe(4);
});

test("users whose rows were committed are reported once for many rows", async () => {
  const accounts = createAccounts();
  const moved: string[][] = [];
  const credit = await start(accounts, null, { onMoved: (users) => moved.push([...users]), timing: { movedMs: 20 } });
  const userId = unique("user");
  accounts.balances.set(userId, 50);
  const ids = Array.from({ length: 5 }, () => unique("r"));
  for (const id of ids) await credit.reserve(id, userId, 1);
  for (const id of ids) credit.settled([id]);
  await until(() => moved.length > 0, { what: "it is told" });
  expect(moved).toEqual([[userId]]);
});

describe("several instances on one Redis", () => {
  test("50 requests over both on credit for 10: exactly 10; what one spends the other sees", async () => {
    const accounts = createAccounts();
    const [a, b] = [await start(accounts, server.url), await start(accounts, server.url)];
    const userId = unique("user");
    accounts.balances.set(userId, 1_000);
    const ids = Array.from({ length: 50 }, () => unique("r"));
    const answers = await Promise.all(ids.map((id, index) => (index % 2 ? a : b).reserve(id, userId, 100)));
    expect(answers.filter((refusal) => refusal === null)).toHaveLength(10);
    for (const [index, id] of ids.entries()) (index % 2 ? a : b).spend(id, 50);
    await until(async () => (await left(a, userId)) === 500 && (await left(b, userId)) === 500, { what: "both see the rest" });
  });

  test("a reservation of an instance that died lapses", async () => {
    const accounts = createAccounts();
    const [a, b] = [await start(accounts, server.url, { timing: { holdMs: 200 } }), await start(accounts, server.url)];
    const userId = unique("user");
    accounts.balances.set(userId, 10);
    expect(await a.reserve(unique("r"), userId, 10)).toBeNull();
    expect(await left(b, userId)).toBe(0);
    await until(async () => (await left(b, userId)) === 10, { what: "it has lapsed" });
  });
});

describe("Redis lost", () => {
  async function startPair(servers: TestRedis, accounts: Accounts, count: 1 | 2): Promise<Credit[]> {
    const timing = { beatMs: 50, rebuildMs: 100 };
    const started = [];
    for (let n = 0; n < count; n++) started.push(await start(accounts, servers.url, { timing }));
    return started;
  }

  test("one instance stays exact from its twin, and brings Redis up to date when it is back", async () => {
    const own = await startTestRedis();
    const accounts = createAccounts();
    const [credit] = await startPair(own, accounts, 1);
    if (!credit) throw new Error("not started");
    const [userId, id] = [unique("user"), unique("r")];
    accounts.balances.set(userId, 10);
    expect(await credit.reserve(id, userId, 4)).toBeNull();
    await own.kill();
    credit.spend(id, 3);
    expect(await credit.reserve(unique("r"), userId, 5)).toBeNull();
    expect(await credit.reserve(unique("r"), userId, 3)).toEqual({ availableNanoUsd: 2, neededNanoUsd: 3 });
    await own.restart();
    await until(async () => (await left(credit, userId)) === 2, { what: "Redis knows" });
    await own.stop();
  });

  test("with two instances, neither grants prepaid requests until Redis is back and both have contributed their parts", async () => {
    const own = await startTestRedis();
    const accounts = createAccounts();
    const [a, b] = await startPair(own, accounts, 2);
    if (!a || !b) throw new Error("not started");
    const userId = unique("user");
    accounts.balances.set(userId, 10);
    expect(await a.reserve(unique("r"), userId, 6)).toBeNull();
    await left(b, userId);
    await until(() => a.stats().others === 1 && b.stats().others === 1, { what: "each knows of the other" });
    await own.kill();
    await expect(a.reserve(unique("r"), userId, 1)).rejects.toMatchObject({ code: "unavailable" });
    await expect(b.reserve(unique("r"), userId, 1)).rejects.toMatchObject({ code: "unavailable" });
    await own.restart();
    const granted = await until(async () => (await b.reserve(unique("r"), userId, 5).catch(() => null)) ?? false, { what: "an answer" });
    expect(granted).toEqual({ availableNanoUsd: 4, neededNanoUsd: 5 });
    await own.stop();
  });
});
