import type { BreakerPolicy } from "@sluice/core/breaker/breaker";
import type { BreakerState } from "@sluice/core/events";
import { silentLog } from "@sluice/core/log";
import { createRedisGate } from "@sluice/db/redis-gate";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BreakerMirror, createBreakers } from "./breakers.ts";
import { type BreakerMessage, breakersChannel } from "./shared-breakers.ts";

/**
 * One contract, two implementations: random histories of one breaker are played by one process, and by two processes whose clocks differ
 * on one Redis that loses its data or cannot be reached for a while. Neither of that may make a difference to the model.
 */
let server: TestRedis;
let serial = 0;
const open: Redis[] = [];
const links: Redis[] = [];

const connect = async (): Promise<Redis> => {
  const redis = new Redis(server.url, { retryStrategy: null, maxRetriesPerRequest: 0 });
  redis.on("error", () => undefined);
  await until(() => redis.status === "ready", { what: "the connection is ready" });
  open.push(redis);
  return redis;
};

/** Who hears announcements now. */
let audience: BreakerMirror[] = [];
let marks = 0;

beforeAll(async () => {
  server = await startTestRedis();
  for (let i = 0; i < 2; i++) links.push(await connect());
  const subscriber = await connect();
  subscriber.on("message", (_channel, text: string) => {
    if (text === "mark") marks += 1;
    else for (const mirror of audience) mirror.receive(JSON.parse(text) as BreakerMessage);
  });
  await subscriber.subscribe(breakersChannel);
});
afterAll(async () => {
  for (const redis of open) redis.disconnect();
  await server.stop();
});

const startMs = Date.UTC(2026, 10, 21, 22, 30);
const probeMs = 30_000;
const halfHourMs = 1_800_000;

/** The contract, from first principles. */
class Model {
  failures = 0;
  /** When the last failure was counted or cleared. */
  #noted = Number.NEGATIVE_INFINITY;
  #openings = 0;
  successes = 0;
  dueAtMs: number | null = null;
  halfOpen = false;
  cause = "";
  slots: number[] = [];
  readonly transitions: string[] = [];

  readonly #policy: BreakerPolicy;

  constructor(policy: BreakerPolicy) {
    this.#policy = policy;
  }

  get state(): "closed" | "open" | "half_open" {
    if (this.halfOpen) return "half_open";
    return this.dueAtMs === null ? "closed" : "open";
  }

  view(nowMs: number): string {
    if (this.state === "closed") return "closed";
    if (this.state === "open") return nowMs >= (this.dueAtMs ?? 0) ? "probe" : "open";
    return this.#free(nowMs) > 0 ? "probe" : "open";
  }

  isWell(nowMs: number): boolean {
    return this.state === "closed" && (this.failures === 0 || nowMs - this.#noted > 60_000);
  }

  fail(nowMs: number, cause: string, retryAfterMs: number): void {
    const asked = Math.min(retryAfterMs, halfHourMs);
    if (this.#policy.failures === 0) return;
    if (this.state === "closed") {
      this.failures += 1;
      this.cause = cause;
      this.#noted = nowMs;
      if (this.failures >= this.#policy.failures) this.#open(nowMs, asked);
      else if (asked > 0) this.#moveTo("open", nowMs + asked);
    } else if (this.halfOpen && this.slots.length > 0) {
      this.cause = cause;
      this.#open(nowMs, asked);
    }
  }

  succeed(): void {
    if (this.state === "closed") this.#clear();
    else if (this.halfOpen && this.slots.length > 0) {
      this.slots.shift();
      this.successes += 1;
      if (this.successes === 2) this.reset();
    }
  }

  reset(): void {
    if (this.state !== "closed") this.#moveTo("closed", null);
    this.#clear();
  }

  /** How many of those who ask get a probe. */
  probes(nowMs: number, asking: number): number {
    if (this.view(nowMs) === "closed") return asking;
    if (this.view(nowMs) === "open") return 0;
    const taken = Math.min(asking, this.#free(nowMs));
    if (this.state === "open") this.#moveTo("half_open", null);
    this.slots = this.slots.filter((untilMs) => untilMs > nowMs);
    for (let i = 0; i < taken; i++) this.slots.push(nowMs + probeMs);
    return taken;
  }

  #free(nowMs: number): number {
    return Math.max(0, this.#policy.probes - this.slots.filter((untilMs) => untilMs > nowMs).length);
  }

  #open(nowMs: number, atLeastMs: number): void {
    const backoff = Math.min(halfHourMs, this.#policy.openMs * 2 ** this.#openings);
    this.#openings += 1;
    this.#moveTo("open", nowMs + Math.max(backoff, atLeastMs));
  }

  #moveTo(state: "closed" | "open" | "half_open", dueAtMs: number | null): void {
    this.dueAtMs = dueAtMs;
    this.halfOpen = state === "half_open";
    this.slots = [];
    this.successes = 0;
    this.transitions.push(state);
  }

  #clear(): void {
    this.failures = 0;
    this.#openings = 0;
    this.cause = "";
  }
}

type Op = { do: "fail"; retryAfterMs: number; cause: string } | { do: "succeed" } | { do: "reset" };

type Step =
  /** All in one turn, by one instance. */
  | { do: "turn"; by: number; ops: Op[]; cutOff: boolean }
  /** In one turn, by both. */
  | { do: "probes"; asking: number }
  /** Relative to what is next: the end of an opening, or of a probe. */
  | { do: "wait"; until: "next" | "after"; ms: number }
  | { do: "refresh"; by: number }
  /** The instance's clock is set. */
  | { do: "jump"; by: number; ms: number }
  /** The instance's machine sleeps, and the instance hears from Redis then. */
  | { do: "sleep"; by: number; ms: number }
  | { do: "lose" };

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      retryAfterMs: fc.constantFrom(0, 0, 0, 7_000, 400_000, 172_800_000),
      cause: fc.constantFrom("500", "quota “é” 🧯", "", `\u0000"\\`, `${"x".repeat(299)}🧯`),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: "succeed" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "reset" as const }) },
);
const by = fc.nat(1);
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("turn" as const),
        by,
        ops: fc.array(op, { minLength: 1, maxLength: 5 }),
        cutOff: fc.nat(9).map((n) => n === 0),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("probes" as const), asking: fc.integer({ min: 1, max: 5 }) }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("wait" as const), until: fc.constant("next" as const), ms: fc.constantFrom(-1, 0, 1) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        until: fc.constant("after" as const),
        ms: fc.oneof(fc.constantFrom(1, 29_999, 30_000, 59_999, 60_000, 60_001), fc.integer({ min: 1, max: 200_000 })),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("refresh" as const), by }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("jump" as const), by, ms: fc.constantFrom(-3_600_000, 3_600_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("sleep" as const), by, ms: fc.constantFrom(20_000, 300_000) }) },
    { weight: 1, arbitrary: fc.constant({ do: "lose" as const }) },
  ),
  { maxLength: 40, size: "max" },
);
const policies = fc.record({
  failures: fc.constantFrom(0, 1, 2, 3, 3, 5, 5),
  openMs: fc.constantFrom(1_000, 60_000, 60_000, 3_600_000),
  probes: fc.integer({ min: 1, max: 3 }),
  probeMs: fc.constant(probeMs),
});
/** How far the two processes' clocks are ahead of Redis'. */
const skews = fc.tuple(fc.constantFrom(0, 90_000, -90_000), fc.constantFrom(0, 7_200_000, -7_200_000));

const fail: Op = { do: "fail", retryAfterMs: 0, cause: "500" };
const turn = (...ops: Op[]): Step => ({ do: "turn", by: 0, ops, cutOff: false });
const due: Step = { do: "wait", until: "next", ms: 0 };
const five: BreakerPolicy = { failures: 5, openMs: 60_000, probes: 1, probeMs };
type Game = [Step[], BreakerPolicy, [number, number]];
/** Histories that once went wrong. */
const examples: Game[] = [
  // A success right after failures clears them, although the mirror does not know of them yet; a failure right after a reset counts.
  [[turn(fail, fail, fail, fail, { do: "succeed" }, fail)], five, [0, 0]],
  [[turn(fail, fail, fail, fail, fail), turn({ do: "reset" }, fail)], five, [0, 0]],
  // A Redis that has lost an open breaker lets no more probes through than before.
  [[turn(fail, fail, fail, fail, fail), due, { do: "lose" }, { do: "probes", asking: 5 }], five, [0, 0]],
  // The mirror has more failures than Redis, which was away.
  [[turn(fail), { ...turn(fail, fail, fail), cutOff: true } as Step, turn(fail)], five, [0, 0]],
  // "A minute ago" by Redis' clock, not by one that is ahead.
  [[turn(fail)], five, [90_000, -7_200_000]],
  // A clock that is set back makes no opening longer.
  [[turn(fail, fail, fail, fail, fail), { do: "jump", by: 0, ms: -3_600_000 }, due, { do: "probes", asking: 2 }], five, [0, 0]],
  // Nor does one that stood still.
  [[turn(fail, fail, fail, fail, fail), { do: "sleep", by: 1, ms: 20_000 }, due, { do: "probes", asking: 2 }], five, [0, 0]],
  // A cause that is cut within a character is given back to a Redis that lost it.
  [
    [turn({ ...fail, cause: `${"x".repeat(299)}🧯` }, fail, fail, fail), { do: "lose" }, { do: "refresh", by: 0 }, turn(fail)],
    five,
    [0, 0],
  ],
];

/** Everything that was sent is answered, and every announcement has been heard. */
async function settle(): Promise<void> {
  for (const link of links) await link.ping();
  const wanted = marks + 1;
  await links[0]?.publish(breakersChannel, "mark");
  await until(() => marks === wanted, { what: "all announcements have been heard", everyMs: 1 });
}

/** Cuts the instance's connection while it does something. */
async function cutOff(link: Redis, isOpen: () => boolean, act: () => void): Promise<void> {
  link.disconnect();
  await until(() => link.status === "end", { what: "the connection is gone", everyMs: 1 });
  act();
  await new Promise(setImmediate);
  await link.connect();
  await until(isOpen, { what: "Redis is used again", everyMs: 1 });
}

async function play([history, policy, skews]: Game, shared: boolean): Promise<void> {
  const provider = `p${++serial}`;
  const skew = [...skews];
  const slept = [0, 0];
  const clock = fakeClock(startMs);
  const transitions: BreakerState[] = [];
  const gates = shared
    ? links.map((redis) =>
        createRedisGate({ redis, log: silentLog, meanwhile: "", onRecover: () => undefined, timeoutMs: 10_000, probeEveryMs: 2 }),
      )
    : [null];
  const mirrors = gates.map((gate, index) =>
    createBreakers({
      gate,
      clock: { now: () => clock.now() + (skew[index] ?? 0), monotonic: () => clock.monotonic() + 1_000.25 * index - (slept[index] ?? 0) },
      policy: () => policy,
      ratePercent: () => 0,
      onTransition: (breaker) => transitions.push(breaker),
      instanceId: `${provider}-${index}`,
      commandMs: 10_000,
      testNow: () => clock.now(),
    }),
  );
  audience = mirrors;
  const model = new Model(policy);
  const mirrorOf = (who: number): BreakerMirror => mirrors[who % mirrors.length] as BreakerMirror;
  try {
    for (const mirror of mirrors) await mirror.refresh();
    for (const [index, step] of history.entries()) {
      const now = clock.now();
      if (step.do === "turn") {
        const mirror = mirrorOf(step.by);
        const act = (): void => {
          for (const op of step.ops) {
            if (op.do === "fail") mirror.failed(provider, "m", op);
            else if (op.do === "succeed") mirror.succeeded(provider, "m");
            else mirror.reset(provider);
          }
        };
        const [link, gate] = [links[step.by], gates[step.by]];
        if (step.cutOff && link && gate) {
          await cutOff(link, () => gate.isOpen(), act);
          await mirror.refresh();
        } else act();
        for (const op of step.ops) {
          if (op.do === "fail") model.fail(now, op.cause, op.retryAfterMs);
          else if (op.do === "succeed") model.succeed();
          else model.reset();
        }
      } else if (step.do === "probes") {
        const won = await Promise.all(Array.from({ length: step.asking }, (_, i) => mirrorOf(i).takeProbe(provider, "m")));
        expect(won.filter(Boolean).length, `step ${index}: probes`).toBe(model.probes(now, step.asking));
      } else if (step.do === "wait") {
        const nextMs = [model.dueAtMs ?? 0, ...model.slots].filter((atMs) => atMs > now).sort((a, b) => a - b)[0];
        clock.advance(Math.max(0, (step.until === "next" ? (nextMs ?? now) - now : 0) + step.ms));
      } else if (step.do === "refresh") await mirrorOf(step.by).refresh();
      else if (step.do === "jump") skew[step.by] = (skew[step.by] ?? 0) + step.ms;
      else if (step.do === "sleep" && shared) {
        clock.advance(step.ms);
        slept[step.by] = (slept[step.by] ?? 0) + step.ms;
        for (const who of [step.by + 1, step.by]) await mirrorOf(who).refresh();
      } else if (step.do === "lose" && shared) await links[0]?.flushall();
      if (shared) await settle();
      // Of what two instances do alone, the later counts.
      if (step.do === "turn" && step.cutOff) clock.advance(1);
      for (const [who, mirror] of mirrors.entries()) check(mirror, `step ${index}, instance ${who}`, skew[who] ?? 0);
    }
    expect(transitions.map(({ state }) => state)).toEqual(model.transitions);
  } finally {
    audience = [];
    for (const gate of gates) gate?.close();
  }

  function check(mirror: BreakerMirror, where: string, ahead: number): void {
    const now = clock.now();
    const { state } = model;
    const listed = mirror.list().filter(({ providerId }) => providerId === provider);
    const wanted = {
      state,
      failures: model.failures,
      cause: model.cause.slice(0, 300).toWellFormed(),
      probeAtMs: state === "open" ? (model.dueAtMs ?? 0) + ahead : null,
      ...(state === "half_open" && { successes: model.successes }),
    };
    expect(listed, where).toMatchObject(state === "closed" && model.failures === 0 ? [] : [wanted]);
    expect(mirror.stateOf(provider, "m"), where).toBe(model.view(now));
    expect(mirror.dueInMs(provider, "m"), where).toBe(state === "open" ? Math.max(0, (model.dueAtMs ?? 0) - now) : 0);
    expect(mirror.isWell(provider, "m"), where).toBe(model.isWell(now));
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 500 },
  { keeper: "on Redis, by two instances", shared: true, runs: 70 },
])("breakers kept $keeper", ({ shared, runs }) => {
  test("any history leads to the state that the contract says, for everyone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(steps, policies, skews), (game) => play(game, shared)),
      { numRuns: runs, examples: examples.map((game): [Game] => [game]) },
    );
  }, 120_000);
});

test("a breaker that nobody has asked for in a day is forgotten, here and in Redis", async () => {
  const redis = links[0] as Redis;
  await redis.flushall();
  const clock = fakeClock(startMs);
  const gate = createRedisGate({ redis, log: silentLog, meanwhile: "", onRecover: () => undefined, timeoutMs: 10_000 });
  const options = { clock, policy: () => five, ratePercent: () => 0, onTransition: () => undefined, instanceId: "a", commandMs: 10_000 };
  const both = [null, gate].map((gate) => createBreakers({ ...options, gate, testNow: () => clock.now() }));
  const known = () => both.map((breakers) => breakers.list().length);
  const refresh = () => Promise.all(both.map((breakers) => breakers.refresh()));
  for (const breakers of both) for (let i = 0; i < 5; i++) breakers.failed("p", "retired", { cause: "500" });
  await settle();
  clock.advance(86_400_000);
  await refresh();
  expect(known()).toEqual([1, 1]);
  clock.advance(1);
  await refresh();
  expect(known()).toEqual([0, 0]);
  expect(await redis.hlen("sluice:breakers")).toBe(0);
  gate.close();
});
