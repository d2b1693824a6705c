import type { LiveEvent, SessionRow } from "@sluice/core/events";
import { silentLog } from "@sluice/core/log";
import { type FakeClock, fakeClock } from "@sluice/testing/clock";
import { requestRow, uniqueName } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Sessions } from "../src/contract.ts";
import type { LiveBus } from "../src/live-bus.ts";
import { createMemoryBus } from "../src/memory-bus.ts";
import { createPresence } from "../src/presence.ts";
import { openRedisLink, type RedisLink } from "../src/redis-link.ts";
import { MAX_SESSIONS } from "../src/session-store.ts";
import { createSessions } from "../src/sessions.ts";
import { useRedis } from "./arrange.ts";

/**
 * One contract, two implementations: random histories of requests over several instances, with lost replies, deaths and clocks apart. The
 * model is the list of requests; the sessions listed and the events published have to add up to it.
 */
const server = useRedis();

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const ids = ["a", "b", "c"];
/** Clocks of instances are seconds apart. */
const apartMs = [0, 2_500, -1_500];
/** Beyond the integers that a double can hold. */
const costs = ["0", "7", "9007199254740993", "100000000000000000"];

interface Some {
  at: number;
  id: number;
  cost: number;
  times: number;
}

type Step =
  | ({ do: "begin" } & Some)
  | ({ do: "end" } & Some)
  | { do: "lose"; at: number; replies: number }
  | { do: "terminate"; at: number; id: number }
  | { do: "die"; at: number }
  | { do: "leave"; at: number }
  | { do: "look"; at: number }
  | { do: "window"; at: number; seconds: number }
  | { do: "wait"; ms: number };

const at = fc.nat(2);
const id = fc.nat(2);
const kind = <T extends string>(name: T) => fc.constant(name);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom("begin" as const, "end" as const),
        ...{ at, id, cost: fc.nat(costs.length - 1), times: fc.integer({ min: 1, max: 3 }) },
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: kind("wait"), ms: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 900, max: 40_000 })) }),
    },
    { weight: 2, arbitrary: fc.record({ do: kind("lose"), at, replies: fc.integer({ min: 1, max: 2 }) }) },
    { weight: 2, arbitrary: fc.record({ do: kind("look"), at }) },
    { weight: 1, arbitrary: fc.record({ do: kind("terminate"), at, id }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("die" as const, "leave" as const), at }) },
    { weight: 1, arbitrary: fc.record({ do: kind("window"), at, seconds: fc.integer({ min: 1, max: 30 }) }) },
  ),
  { maxLength: 40, size: "max" },
);

const begin: Step & { do: "begin" } = { do: "begin", at: 0, id: 0, cost: 0, times: 1 };
const end: Step = { ...begin, do: "end" };
const lose: Step = { do: "lose", at: 0, replies: 1 };
const wait = (ms: number): Step => ({ do: "wait", ms });
/** Histories that once went wrong. */
const examples: [Step[]][] = [
  // The reply to the batch that begins a session is lost.
  [[begin, lose, wait(900)]],
  // That of the sweep that ends it.
  [[begin, end, wait(19_000), lose, wait(40_000)]],
  // A batch is repeated after its session was terminated, or ended, elsewhere.
  [[begin, end, { ...lose, replies: 3 }, wait(250), { do: "terminate", at: 1, id: 0 }, wait(900)]],
  // A session that ended comes back in the same millisecond.
  [
    [
      { do: "leave", at: 1 },
      { ...begin, at: 1 },
      { do: "terminate", at: 0, id: 0 },
    ],
  ],
  // Or at an instance whose clock is behind.
  [[{ ...begin, at: 1 }, { ...end, at: 1 }, wait(250), { do: "terminate", at: 1, id: 0 }, { ...begin, at: 2 }]],
];

interface Instance {
  name: string;
  sessions: Sessions;
  /** Sessions of the requests in flight here. */
  open: string[];
  /** Replies that will not arrive although Redis does what it was asked for. */
  lose: number;
  life: string;
  link: RedisLink | null;
}

class World {
  readonly clock: FakeClock = fakeClock();
  readonly bus: LiveBus = createMemoryBus();
  readonly events: { type: string; row: SessionRow }[] = [];
  readonly instances: Instance[] = [];
  /** A session that ended before the repeated batch that began it has a single event. */
  mayMissStarts = false;
  readonly begun = new Map<string, number>();
  readonly spent = new Map<string, bigint>();
  windowSeconds = 20;
  readonly #prefix = `${uniqueName("model")}:`;

  constructor() {
    this.bus.listen({ started: () => undefined, reset: () => undefined, batch: ({ events }) => this.#heard(events) });
  }

  #heard(events: readonly LiveEvent[]): void {
    for (const event of events) {
      if (event.type === "session.started" || event.type === "session.updated" || event.type === "session.ended") this.events.push(event);
    }
  }

  async join(index: number, shared: boolean): Promise<void> {
    const name = `i${index}`;
    const clock = { now: () => this.clock.now() + (apartMs[index] ?? 0), monotonic: () => this.clock.monotonic() };
    const common = { bus: this.bus, clock, windowSeconds: () => this.windowSeconds };
    if (!shared) {
      this.instances[index] = { name, sessions: createSessions({ ...common, redis: null }), open: [], lose: 0, life: "", link: null };
      return;
    }
    const link = openRedisLink(server().url, { log: silentLog, prefix: this.#prefix });
    while (!link.ready()) await new Promise(setImmediate);
    const presence = createPresence(link, { instanceId: name });
    const instance = { name, open: [], lose: 0, life: presence.life, link } as Omit<Instance, "sessions"> as Instance;
    const run: RedisLink["run"] = async (...call) => {
      const reply = await link.run(...call);
      if (instance.lose === 0) return reply;
      instance.lose -= 1;
      throw new Error("The reply was lost.");
    };
    instance.sessions = createSessions({ ...common, redis: { link: { ...link, run }, presence } });
    this.instances[index] = instance;
  }

  /** Timers fire, and what they sent is answered before it would time out. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_900) {
      const part = Math.min(left, 1_900);
      this.clock.advance(part);
      await vi.advanceTimersByTimeAsync(part);
      // Answers come in order, and may cause another question.
      for (let round = 0; round < 3; round++) await Promise.all(this.instances.map(({ link }) => link?.redis.ping()));
    }
  }

  /** Until everything has been said, whatever was lost. */
  async settle(): Promise<void> {
    for (let tries = 0; tries < 4; tries++) await this.pass(510);
    await this.bus.flush();
  }

  begin(instance: Instance, session: string): void {
    instance.open.push(session);
    this.begun.set(session, (this.begun.get(session) ?? 0) + 1);
    const who = { userId: `u-${session}`, keyId: "k", providerId: "p", model: "m", client: "c", dialect: "openai" } as const;
    instance.sessions.began({ id: session, ...who });
  }

  end(instance: Instance, session: string, costNanoUsd: string): void {
    instance.open.splice(instance.open.indexOf(session), 1);
    this.spent.set(session, (this.spent.get(session) ?? 0n) + BigInt(costNanoUsd));
    instance.sessions.ended(requestRow({ sessionId: session, userId: `u-${session}`, keyId: "k", costNanoUsd }));
  }

  async die(index: number): Promise<void> {
    const instance = this.instances[index] as Instance;
    const { link, life } = instance;
    if (!link) return;
    for (const each of this.instances) each.lose = 0;
    await this.settle();
    // As if its heartbeat had expired.
    await link.redis.zadd(`${this.#prefix}instances`, 1, life);
    link.close();
    await this.join(index, true);
    await this.instances[index]?.sessions.bury([life]);
  }

  /** Stops properly, while a flush is in progress, and starts again. */
  async leave(index: number): Promise<void> {
    const instance = this.instances[index] as Instance;
    const { link, life } = instance;
    if (!link) return;
    for (const each of this.instances) each.lose = 0;
    await this.settle();
    this.begin(instance, "a");
    await vi.advanceTimersByTimeAsync(200);
    for (const session of [...instance.open]) this.end(instance, session, "3");
    await instance.sessions.close();
    await link.redis.zrem(`${this.#prefix}instances`, life);
    link.close();
    await this.join(index, true);
  }

  async look(instance: Instance): Promise<void> {
    for (const each of this.instances) each.lose = 0;
    await this.settle();
    const rows = await instance.sessions.list();
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
    const open = this.instances.flatMap((each) => each.open);
    for (const session of ids) {
      const expected = open.filter((each) => each === session).length;
      expect(rows.find((row) => row.id === session)?.inFlight ?? 0, `${session} in flight`).toBe(expected);
    }
  }

  /** Whatever happened, in the end every session has begun and ended once each time, and its requests are all counted. */
  async close(): Promise<void> {
    for (const instance of this.instances) for (const session of [...instance.open]) this.end(instance, session, "5");
    const [first] = this.instances as [Instance];
    await this.look(first);
    for (let tries = 0; tries < 3; tries++) await this.pass(35_000);
    await this.settle();
    expect(await first.sessions.list()).toEqual([]);
    for (const session of ids) this.#addsUp(session);
    for (const { sessions } of this.instances) await sessions.close();
  }

  #addsUp(session: string): void {
    const own = this.events.filter(({ row }) => row.id === session);
    const [started, ended] = [own.filter(({ type }) => type === "session.started"), own.filter(({ type }) => type === "session.ended")];
    if (this.mayMissStarts) expect(started.length, `${session} started`).toBeLessThanOrEqual(ended.length);
    else expect(started.length, `${session} started`).toBe(ended.length);
    expect(
      ended.reduce((sum, { row }) => sum + row.requests, 0),
      `requests of ${session}`,
    ).toBe(this.begun.get(session) ?? 0);
    expect(
      ended.reduce((sum, { row }) => sum + BigInt(row.costNanoUsd), 0n),
      `cost of ${session}`,
    ).toBe(this.spent.get(session) ?? 0n);
    expect(new Set(own.map(({ row }) => row.rev)).size, `revs of ${session}`).toBe(own.length);
  }

  disconnect(): void {
    for (const { link } of this.instances) link?.close();
  }
}

async function play(history: readonly Step[], shared: boolean): Promise<void> {
  const world = new World();
  try {
    const count = shared ? 3 : 1;
    for (let index = 0; index < count; index++) await world.join(index, shared);
    for (const step of history) {
      const index = "at" in step ? step.at % count : 0;
      const instance = world.instances[index] as Instance;
      const session = ("id" in step && ids[step.id]) || "a";
      if (step.do === "wait") await world.pass(step.ms);
      else if (step.do === "lose") {
        world.mayMissStarts ||= instance.lose > 0 || step.replies > 1;
        instance.lose += step.replies;
      } else if (step.do === "look") await world.look(instance);
      else if (step.do === "die") await world.die(index);
      else if (step.do === "leave") await world.leave(index);
      else if (step.do === "terminate") await instance.sessions.terminate(session);
      else if (step.do === "window") {
        world.windowSeconds = step.seconds;
        for (const { sessions } of world.instances) sessions.windowChanged();
      } else {
        for (let times = 0; times < step.times; times++) {
          if (step.do === "begin") world.begin(instance, session);
          else if (instance.open.includes(session)) world.end(instance, session, costs[step.cost] ?? "0");
        }
      }
    }
    await world.close();
  } finally {
    world.disconnect();
    vi.clearAllTimers();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 100 },
  { keeper: "on Redis", shared: true, runs: 60 },
])("sessions kept $keeper", ({ shared, runs }) => {
  test("any history of requests adds up, and each session begins and ends once", async () => {
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, shared)),
      { numRuns: runs, examples },
    );
  });
});

test("a batch that is repeated after a termination does not undo it", async () => {
  const world = new World();
  for (const index of [0, 1]) await world.join(index, true);
  const [one, two] = world.instances as [Instance, Instance];
  world.begin(one, "a");
  one.lose = 1;
  await world.pass(250);
  await two.sessions.terminate("a");
  await world.pass(700);
  world.end(one, "a", "0");
  await world.settle();
  expect(await two.sessions.list()).toEqual([]);
  world.disconnect();
});

test("more changes than are kept while Redis does not answer leave nothing in flight", async () => {
  const world = new World();
  await world.join(0, true);
  const [one] = world.instances as [Instance];
  world.begin(one, "a");
  await world.settle();
  one.lose = 1_000;
  world.begin(one, "b");
  await world.pass(250);
  world.end(one, "a", "0");
  world.end(one, "b", "0");
  for (let at = 0; at < MAX_SESSIONS; at++) {
    world.begin(one, `${at}`);
    world.end(one, `${at}`, "0");
  }
  await world.look(one);
  world.disconnect();
});
