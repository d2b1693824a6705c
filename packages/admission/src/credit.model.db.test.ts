import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccounts, left, unique } from "../test/credits.ts";
import { type Credit, createCredit } from "./credit.ts";

/**
 * Random histories of reservations, ends, committed rows and entries, over one process or two on one Redis. The model: what was paid in,
 * minus what requests hold, minus what they cost. Where a row is on its way into the balance makes no difference to it.
 */
let server: TestRedis;
const connections: Redis[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  for (let n = 0; n < 2; n++) connections.push(new Redis(server.url));
  await until(() => connections.every(({ status }) => status === "ready"), { what: "the connections are ready" });
});
afterAll(async () => {
  for (const redis of connections) redis.disconnect();
  await server.stop();
});

interface Held {
  id: string;
  on: number;
  amount: number;
  /** A row that is committed may be in the balance before its process reports it. */
  state: "reserved" | "spent" | "committed";
}

const on = fc.nat(1);
const which = fc.nat(7);
const steps = fc.array(
  fc.oneof(
    // Asked at once, over both instances, while balances are being read.
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("reserve" as const),
        amount: fc.integer({ min: 0, max: 60 }),
        on: fc.array(on, { minLength: 1, maxLength: 5 }),
        reading: fc.array(on, { maxLength: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("again" as const), which }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("spend" as const), which, percent: fc.integer({ min: 0, max: 130 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("release" as const), which }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("commit" as const), which }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("report" as const), which }) },
    // Rows are committed, and reported or not, while the balance is read.
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("read" as const),
        on: fc.array(on, { minLength: 1, maxLength: 3 }),
        ends: fc.array(
          fc.record({ which, percent: fc.constant(50), do: fc.constantFrom("spend" as const, "commit" as const, "report" as const) }),
          { maxLength: 4 },
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("enter" as const), on, amount: fc.integer({ min: -80, max: 120 }) }) },
  ),
  { maxLength: 60, size: "max" },
);
type Step = typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never;

const turn = (): Promise<void> => new Promise(setImmediate);

async function play(history: readonly Step[], shared: boolean): Promise<void> {
  const accounts = createAccounts();
  const userId = unique("user");
  const credits = (shared ? connections : [null]).map((redis) =>
    createCredit({
      ...{ redis, log: silentLog, instanceId: unique("instance"), admits: true, onMoved: () => undefined },
      async load(userIds, ids) {
        // A while before and after the moment that is read.
        await turn();
        const seen = await accounts.load(userIds, ids);
        for (let turns = 0; turns < 4; turns++) await turn();
        return seen;
      },
      // Nothing happens in the background, and a busy machine answers late.
      timing: { beatMs: 3_600_000, rebuildMs: 3_600_000, commandMs: 10_000 },
    }),
  );
  const at = (index: number): Credit => credits[index % credits.length] as Credit;
  let paidIn = 200;
  accounts.balances.set(userId, paidIn);
  const held: Held[] = [];
  let charged = 0;
  const remainder = () => paidIn - charged - held.reduce((sum, { amount }) => sum + amount, 0);
  const pick = (which: number, ...states: Held["state"][]): Held | undefined => {
    const fit = held.filter(({ state }) => states.includes(state));
    return fit[which % Math.max(1, fit.length)];
  };

  async function reserve({ amount, on, reading }: Extract<Step, { do: "reserve" }>): Promise<void> {
    const before = remainder();
    const asks = on.map((index) => ({ id: unique("r"), on: index }));
    const readings = reading.map((index) => at(index).refresh([userId]));
    const refusals = await Promise.all(asks.map((ask) => at(ask.on).reserve(ask.id, userId, amount)));
    await Promise.all(readings);
    const room = amount === 0 ? (before >= 0 ? asks.length : 0) : Math.max(0, Math.min(asks.length, Math.floor(before / amount)));
    const granted = asks.filter((_, index) => refusals[index] === null);
    // A reading takes a moment in which a row may count twice, but never not at all.
    if (reading.length > 0) expect(granted.length).toBeLessThanOrEqual(room);
    else expect(granted.length).toBe(room);
    for (const ask of granted) held.push({ ...ask, amount, state: "reserved" });
  }

  async function perform(step: Step): Promise<Credit> {
    if (step.do === "reserve") {
      await reserve(step);
      return at(step.on[0] ?? 0);
    }
    if (step.do === "read") {
      const readings = step.on.map((index) => at(index).refresh([userId]));
      for (const end of step.ends) {
        await turn();
        const acting = await perform(end);
        // Redis hears of an end long before its row is committed: a disk and a transaction lie between.
        if (end.do === "spend") await left(acting, userId);
      }
      await Promise.all(readings);
      return at(step.on[0] ?? 0);
    }
    if (step.do === "enter") {
      paidIn += step.amount;
      accounts.balances.set(userId, (accounts.balances.get(userId) ?? 0) + step.amount);
      await at(step.on).refresh([userId]);
      return at(step.on);
    }
    const states: Record<typeof step.do, Held["state"][]> = {
      ...{ again: ["reserved"], spend: ["reserved"], release: ["reserved"], commit: ["spent"], report: ["committed"] },
    };
    const one = pick(step.which, ...states[step.do]);
    if (!one) return at(0);
    const credit = at(one.on);
    if (step.do === "again") expect(await credit.reserve(one.id, userId, one.amount)).toBeNull();
    else if (step.do === "spend") {
      one.amount = Math.floor((one.amount * step.percent) / 100);
      one.state = "spent";
      credit.spend(one.id, one.amount);
    } else if (step.do === "commit") {
      one.state = "committed";
      accounts.commit(userId, one.id, one.amount);
    } else {
      held.splice(held.indexOf(one), 1);
      if (step.do === "report") charged += one.amount;
      for (let twice = 0; twice < 2; twice++) step.do === "report" ? credit.settled([one.id]) : credit.release(one.id);
    }
    return credit;
  }

  try {
    for (const [index, step] of history.entries()) {
      const acting = await perform(step);
      // The one that acted is asked first: on its connection the question follows what it sent.
      for (const credit of [acting, ...credits]) expect(await left(credit, userId), `step ${index}: ${step.do}`).toBe(remainder());
    }
    // At rest nothing is reserved, whatever was lost or read meanwhile, and the balance is all there is.
    for (const one of held.splice(0)) {
      at(one.on).spend(one.id, one.amount);
      charged += one.amount;
      if (one.state !== "committed") accounts.commit(userId, one.id, one.amount);
      at(one.on).settled([one.id]);
    }
    for (const credit of credits) await credit.refresh([userId]);
    for (const credit of credits) {
      expect(await left(credit, userId)).toBe(accounts.balances.get(userId));
      expect(credit.stats().openNanoUsd).toBe(0);
    }
    expect(remainder()).toBe(accounts.balances.get(userId));
    if (shared) expect(await connections[0]?.hget(`sluice:credit:${userId}`, "open")).toBeOneOf([null, "0"]);
  } finally {
    for (const credit of credits) await credit.close();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 300 },
  { keeper: "on Redis by two instances", shared: true, runs: 250 },
])("credit kept $keeper", ({ shared, runs }) => {
  test("what remains is exact after any history of requests, rows and entries", async () => {
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, shared)),
      { numRuns: runs },
    );
  }, 120_000);
});
