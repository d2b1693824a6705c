import { silentLog } from "@sluice/core/log";
import { createRedisGate } from "@sluice/db/redis-gate";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sticky } from "./admission.ts";
import { createSticky } from "./sticky.ts";

/** One contract, two implementations: random histories of a few sessions, by one process and by two on one Redis. */
let server: TestRedis;
const links: Redis[] = [];
let serial = 0;

beforeAll(async () => {
  server = await startTestRedis();
  for (let i = 0; i < 2; i++) {
    const redis = new Redis(server.url);
    links.push(redis);
    await until(() => redis.status === "ready", { what: "the connection is ready" });
  }
});
afterAll(async () => {
  for (const redis of links) redis.disconnect();
  await server.stop();
});

const ttlMs = 1_000_000;

/** The contract, from first principles. */
class Model {
  /** By instance and session. */
  readonly #memory = new Map<string, { provider: string; usedMs: number; writtenMs: number }>();
  readonly #shared = new Map<string, { provider: string; writtenMs: number }>();

  readonly #isShared: boolean;

  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  bind(who: number, session: string, provider: string, nowMs: number): void {
    const before = this.#remembered(who, session, nowMs);
    // A lifetime is extended in Redis after a quarter of it.
    const isFresh = before?.provider === provider && nowMs - before.writtenMs < ttlMs / 4;
    this.#memory.set(`${who} ${session}`, { provider, usedMs: nowMs, writtenMs: isFresh ? before.writtenMs : nowMs });
    if (!isFresh) this.#shared.set(session, { provider, writtenMs: nowMs });
  }

  unbind(who: number, session: string): void {
    this.#memory.delete(`${who} ${session}`);
    this.#shared.delete(session);
  }

  find(who: number, session: string, nowMs: number): string | null {
    const known = this.#remembered(who, session, nowMs);
    if (known) {
      known.usedMs = nowMs;
      return known.provider;
    }
    const shared = this.#isShared ? this.#shared.get(session) : undefined;
    if (!shared || nowMs - shared.writtenMs >= ttlMs) return null;
    this.#memory.set(`${who} ${session}`, { provider: shared.provider, usedMs: nowMs, writtenMs: Number.NEGATIVE_INFINITY });
    return shared.provider;
  }

  #remembered(who: number, session: string, nowMs: number) {
    const known = this.#memory.get(`${who} ${session}`);
    return known && nowMs - known.usedMs <= ttlMs ? known : undefined;
  }
}

type Op = { do: "find" } | { do: "bind"; provider: string } | { do: "unbind" };
type Step = { do: "turn"; by: number; session: number; ops: Op[] } | { do: "wait"; ms: number };

const find: Op = { do: "find" };
const bind = (provider: string): Op => ({ do: "bind", provider });
const turn = (by: number, ...ops: Op[]): Step => ({ do: "turn", by, session: 0, ops });
const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("turn" as const),
        by: fc.nat(1),
        session: fc.nat(1),
        ops: fc.array(
          fc.oneof(
            { weight: 3, arbitrary: fc.constant(find) },
            { weight: 3, arbitrary: fc.constantFrom("p", "q").map(bind) },
            { weight: 1, arbitrary: fc.constant<Op>({ do: "unbind" }) },
          ),
          { minLength: 1, maxLength: 4 },
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        // Redis' time goes on by itself, too: sums of these are far enough from every boundary.
        ms: fc.constantFrom(30_000, 230_000, 270_000, 470_000, 770_000, 1_110_000),
      }),
    },
  ),
  { maxLength: 30, size: "max" },
);
/** Histories that once went wrong. */
const examples: [Step[]][] = [
  // A read on its way is outdated by a binding, and by its end.
  [[turn(0, bind("p")), turn(1, find, bind("q")), turn(1, find)]],
  [[turn(0, bind("p")), turn(1, find, { do: "unbind" }), turn(1, find)]],
  // Used by the other instance shortly before its end.
  [[turn(0, bind("p")), { do: "wait", ms: 770_000 }, turn(1, find), turn(1, bind("p")), { do: "wait", ms: 470_000 }, turn(0, find)]],
];

/** Time passes in Redis. */
async function age(redis: Redis, keys: readonly string[], ms: number): Promise<void> {
  for (const key of keys) {
    const left = await redis.pttl(key);
    // No binding is there for ever, or longer than its lifetime.
    expect(left === -2 || (left > 0 && left <= ttlMs)).toBe(true);
    if (left > ms) await redis.pexpire(key, left - ms);
    else await redis.del(key);
  }
}

async function play(history: readonly Step[], shared: boolean): Promise<void> {
  const clock = fakeClock();
  const run = ++serial;
  const gates = shared
    ? links.map((redis) => createRedisGate({ redis, log: silentLog, meanwhile: "", onRecover: () => undefined, timeoutMs: 10_000 }))
    : [null];
  const instances = gates.map((gate) => createSticky({ gate, clock, ttlSeconds: () => ttlMs / 1_000 }));
  const sessions = [`s${run}-0`, `s${run}-1`];
  const model = new Model(shared);
  const found = async (sticky: Sticky, session: string): Promise<string | null> => await sticky.find(session);
  try {
    for (const [index, step] of history.entries()) {
      if (step.do === "wait") {
        clock.advance(step.ms);
        const keys = sessions.map((session) => `sluice:sticky:${session}`);
        if (shared) await age(links[0] as Redis, keys, step.ms);
        continue;
      }
      const who = step.by % instances.length;
      const [sticky, session] = [instances[who] as Sticky, sessions[step.session] as string];
      const now = clock.now();
      const answers: { answer: Promise<string | null>; wanted: string | null }[] = [];
      for (const op of step.ops) {
        if (op.do === "find") answers.push({ answer: found(sticky, session), wanted: model.find(who, session, now) });
        else if (op.do === "unbind") {
          sticky.unbind(session);
          model.unbind(who, session);
        } else {
          sticky.bind(session, op.provider);
          model.bind(who, session, op.provider, now);
        }
      }
      for (const link of links) await link.ping();
      const last = model.find(who, session, now);
      // An answer that was on its way is the one of then, or already the one of now.
      for (const { answer, wanted } of answers) expect([wanted, last], `step ${index}`).toContain(await answer);
      expect(await found(sticky, session), `step ${index}, afterwards`).toBe(last);
    }
  } finally {
    for (const gate of gates) gate?.close();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 500 },
  { keeper: "on Redis, by two instances", shared: true, runs: 150 },
])("sessions kept $keeper", ({ shared, runs }) => {
  test("any history finds exactly the provider that the contract says", async () => {
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, shared)),
      { numRuns: runs, examples },
    );
  }, 60_000);
});
