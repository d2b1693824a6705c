import { defaultSettings } from "@sluice/core/inputs/settings";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Admission, LimitedOwner } from "./admission.ts";
import { createAdmission } from "./create-admission.ts";

/**
 * One contract, two implementations: random histories of admissions, ends and passing time are checked against a model, a plain list of
 * requests that is recounted from scratch each time.
 */
let server: TestRedis;
let redis: Redis;
let serial = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  await until(() => redis.status === "ready", { what: "the connection is ready" });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const usd = 1_000_000_000;
// One object, as in operation: it is how asks are known to be for the same windows.
const settings = defaultSettings();
const startMs = Date.UTC(2026, 10, 21, 22, 30);
const values = [
  { rpm: 6, inFlight: 3, tpm: 400, cost5hUsd: "3", costDayUsd: "4" },
  { rpm: null, inFlight: 4, costWeekUsd: "9", costTotalUsd: "12" },
];

interface Held {
  id: string;
  startedAtMs: number;
  reserved: number;
  estimate: number;
  /** null = in flight. */
  cost: number | null;
  ended: { atMs: number; tokens: number } | null;
}

/** The contract, from first principles. */
class Model {
  readonly requests: Held[] = [];

  refusal(nowMs: number, cost: number, tokens: number): string | null {
    const live = this.requests.filter(({ cost }) => cost === null);
    const reserved = live.reduce((sum, held) => sum + held.reserved, 0);
    const spent = (from: number) => this.requests.reduce((sum, held) => sum + (held.startedAtMs >= from ? (held.cost ?? 0) : 0), 0);
    const second = Math.floor(nowMs / 1000);
    const requests = this.requests.filter(({ startedAtMs }) => Math.floor(startedAtMs / 1000) > second - 61).length;
    const day = Math.floor(nowMs / 86_400_000) * 86_400_000;
    // 2026-11-16 is a Monday.
    const week = Date.UTC(2026, 10, 16) + Math.floor((nowMs - Date.UTC(2026, 10, 16)) / 604_800_000) * 604_800_000;
    const fiveHours = (Math.floor(nowMs / 300_000) - 60) * 300_000;
    const over = (from: number, limit: number) => spent(from) + reserved + cost > limit * usd;
    if (over(0, 12)) return "total user";
    if (live.length >= 3) return "in_flight key";
    if (live.length >= 4) return "in_flight user";
    if (requests >= 6) return "rpm key";
    if (this.#tokens(second) + tokens > 400) return "tpm key";
    if (over(fiveHours, 3)) return "5h key";
    if (over(day, 4)) return "day key";
    return over(week, 9) ? "week user" : null;
  }

  /**
   * Tokens are booked when a request begins. Its end books an excess in the second of the end, and takes a shortfall off the first second
   * while that still counts.
   */
  #tokens(second: number): number {
    const seconds = new Map<number, number>();
    const book = (at: number, amount: number) => seconds.set(at, (seconds.get(at) ?? 0) + amount);
    for (const { startedAtMs, estimate, ended } of this.requests) {
      const first = Math.floor(startedAtMs / 1000);
      book(first, estimate);
      if (!ended) continue;
      if (ended.tokens >= estimate) book(Math.floor(ended.atMs / 1000), ended.tokens - estimate);
      else book(first, ended.tokens - estimate);
    }
    return [...seconds].reduce((sum, [at, amount]) => (at > second - 61 ? sum + amount : sum), 0);
  }
}

interface Admit {
  cost: number;
  tokens: number;
}

type Step =
  | { do: "admit"; asks: Admit[] }
  | { do: "end"; which: number; part: number; tokens: number }
  | { do: "again"; which: number }
  | { do: "wait"; ms: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("admit" as const),
        // Those of one turn are asked in one script.
        asks: fc.array(fc.record({ cost: fc.integer({ min: 0, max: 1_500 }), tokens: fc.integer({ min: 0, max: 90 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("end" as const),
        which: fc.nat(5),
        part: fc.integer({ min: 0, max: 100 }),
        tokens: fc.integer({ min: 0, max: 120 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("again" as const), which: fc.nat(5) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        ms: fc.oneof(
          fc.integer({ min: 1, max: 20_000 }),
          fc.integer({ min: 20_000, max: 130_000 }),
          fc.integer({ min: 130_000, max: 9_000_000 }),
        ),
      }),
    },
  ),
  { maxLength: 60, size: "max" },
);

const admit = (...asks: Admit[]): Step => ({ do: "admit", asks });
const end: Step = { do: "end", which: 0, part: 100, tokens: 10 };
/** Histories that once were refused, or not, by mistake. */
const examples: [Step[]][] = [
  // Below the limit for ever: what has aged out must not count again.
  [Array.from({ length: 12 }, (): Step[] => [admit({ cost: 1, tokens: 60 }), end, { do: "wait", ms: 20_000 }]).flat()],
  // What reserves nothing has an end as well.
  [[admit({ cost: 0, tokens: 1 }), end, admit(...Array.from({ length: 4 }, () => ({ cost: 0, tokens: 1 })))]],
];

async function play(history: readonly Step[], shared: boolean): Promise<void> {
  const clock = fakeClock(startMs);
  const admission: Admission = createAdmission({
    redis: shared ? redis : null,
    settings: () => settings,
    onTransition: () => undefined,
    instanceId: "model",
    clock,
    // Only the test's clock ends anything: leases outlive the test.
    timing: { leaseMs: 72 * 86_400_000, commandMs: 10_000 },
    ...(shared && { testNow: () => clock.now() }),
  });
  const run = ++serial;
  const owners: LimitedOwner[] = [
    { owner: "key", id: `k${run}`, values: values[0] ?? {} },
    { owner: "user", id: `u${run}`, values: values[1] ?? {} },
  ];
  const model = new Model();
  try {
    for (const [index, step] of history.entries()) {
      const live = model.requests.filter(({ cost }) => cost === null);
      if (step.do === "wait") clock.advance(step.ms);
      else if (step.do === "admit") {
        const startedAtMs = clock.now();
        // The first of all waits for what was spent to be read; others would pass it.
        const together = model.requests.length === 0 ? step.asks.slice(0, 1) : step.asks;
        const asks = together.map(({ cost, tokens }, at) => {
          return { requestId: `r${run}-${index}-${at}`, startedAtMs, owners, tokens, costNanoUsd: (cost * usd) / 1_000 };
        });
        const refusals = await Promise.all(asks.map((ask) => admission.admit(ask)));
        for (const [at, { requestId: id, tokens, costNanoUsd }] of asks.entries()) {
          const refusal = refusals[at];
          const wanted = model.refusal(startedAtMs, costNanoUsd, tokens);
          // Later ones of a turn may be refused for what this process knows already, before the others of the turn are counted.
          if (at > 0) expect(refusal !== null, `step ${index}, ask ${at}`).toBe(wanted !== null);
          else expect(refusal && `${refusal.limit} ${refusal.owner}`, `step ${index}`).toBe(wanted);
          if (!refusal) model.requests.push({ id, startedAtMs, reserved: costNanoUsd, estimate: tokens, cost: null, ended: null });
        }
      } else {
        const held = live[step.which % Math.max(1, live.length)];
        if (!held) continue;
        if (step.do === "again") {
          const { id, startedAtMs, reserved, estimate } = held;
          expect(await admission.admit({ requestId: id, startedAtMs, owners, tokens: estimate, costNanoUsd: reserved })).toBeNull();
          continue;
        }
        held.cost = Math.floor((held.reserved * step.part) / 100);
        held.ended = { atMs: clock.now(), tokens: step.tokens };
        for (let twice = 0; twice < 2; twice++) admission.settle(held.id, { costNanoUsd: held.cost, tokens: step.tokens });
        // Ends are sent without waiting for them; the next question follows them on the same connection. They leave before time passes.
        await new Promise(setImmediate);
      }
    }
  } finally {
    await admission.close();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 300 },
  { keeper: "on Redis", shared: true, runs: 200 },
])("limits kept $keeper", ({ shared, runs }) => {
  test("any history of requests is refused exactly as counting from scratch says", async () => {
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, shared)),
      { numRuns: runs, examples },
    );
  }, 240_000);
});
