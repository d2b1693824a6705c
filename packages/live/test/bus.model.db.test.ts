import type { LiveEvent } from "@sluice/core/events";
import { silentLog } from "@sluice/core/log";
import { uniqueName } from "@sluice/testing/factories";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compareBusIds, parseBusId } from "../src/bus-id.ts";
import type { Batch, LiveBus } from "../src/live-bus.ts";
import { createMemoryBus } from "../src/memory-bus.ts";
import { createRedisBus } from "../src/redis-bus.ts";
import { openRedisLink, type RedisLink } from "../src/redis-link.ts";
import { useRedis } from "./arrange.ts";

/**
 * One contract, two implementations: random histories of several publishers, each with a viewer, over lost replies, refusals, cut
 * connections and lost data. Between two resets a viewer gets the events of each publisher without a hole and once; and whoever resumes
 * from an id gets exactly what those who stayed got after it, or a reset.
 */
const server = useRedis();

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const MOST_QUEUED = 250;
/** Entries kept; Redis trims whole nodes. */
const KEPT = 12;

const at = fc.nat(2);
const kind = <T extends string>(name: T) => fc.constant(name);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: kind("publish"), at, events: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 80, max: 180 })) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: kind("pass"), ms: fc.oneof(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 60, max: 1_500 })) }),
  },
  { weight: 2, arbitrary: fc.record({ do: kind("lose"), at, replies: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: kind("refuse"), at, commands: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: kind("cut"), at, what: fc.constantFrom("commands" as const, "viewers" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: kind("forget") }) },
  { weight: 3, arbitrary: fc.record({ do: kind("resume"), at, from: fc.nat(1_000) }) },
  { weight: 2, arbitrary: fc.record({ do: kind("leave"), at }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Member {
  bus: LiveBus;
  link: RedisLink | null;
  lose: number;
  refuse: number;
  published: number;
  /** What its viewer got since each start or reset. */
  segments: Batch[][];
  stop: () => void;
}

class World {
  readonly members: Member[] = [];
  /** Every batch that any viewer got. */
  readonly seen = new Map<string, Batch>();
  readonly #prefix = `${uniqueName("bus")}:`;
  readonly #admin: Redis | null;

  constructor(shared: boolean) {
    this.#admin = shared ? new Redis(server().url) : null;
  }

  async join(): Promise<void> {
    const member = { lose: 0, refuse: 0, published: 0, segments: [] as Batch[][], link: null as RedisLink | null } as Member;
    if (this.#admin) {
      // Short, so that little has to be published until the beginning is gone.
      await this.#admin.config("SET", "stream-node-max-entries", "4");
      const link = openRedisLink(server().url, { log: silentLog, prefix: this.#prefix });
      const run: RedisLink["run"] = async (...call) => {
        if (member.refuse > 0) {
          member.refuse -= 1;
          throw new Error("Refused.");
        }
        const reply = await link.run(...call);
        if (member.lose === 0) return reply;
        member.lose -= 1;
        throw new Error("The reply was lost.");
      };
      member.link = link;
      member.bus = createRedisBus({ ...link, run }, { log: silentLog, maxEntries: KEPT, maxQueued: MOST_QUEUED });
      while (!link.ready()) await new Promise(setImmediate);
    } else member.bus = createMemoryBus({ capacity: KEPT });
    this.members.push(member);
    this.watch(member);
    await this.pass(1);
  }

  watch(member: Member): void {
    member.stop = member.bus.listen({
      started: () => void member.segments.push([]),
      reset: () => void member.segments.push([]),
      batch: (batch) => {
        member.segments.at(-1)?.push(batch);
        const known = this.seen.get(batch.id);
        if (known) expect(batch.events).toEqual(known.events);
        else this.seen.set(batch.id, batch);
      },
    });
  }

  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
    for (let round = 0; round < 4; round++) {
      await Promise.all(this.members.map(({ link }) => (link?.ready() ? link.redis.ping().catch(() => null) : null)));
      // Messages come on other connections.
      await this.#admin?.ping();
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    }
  }

  publish(index: number, events: number): void {
    const member = this.members[index] as Member;
    for (let count = 0; count < events; count++) member.bus.publish({ type: "price.changed", id: `${index} ${member.published++}` });
  }

  async forget(): Promise<void> {
    const keys = (await this.#admin?.keys(`${this.#prefix}*`)) ?? [];
    if (keys.length > 0) await this.#admin?.del(...keys);
  }

  async cut(member: Member, what: "commands" | "viewers"): Promise<void> {
    if (what === "commands") member.link?.redis.disconnect(true);
    else await this.#admin?.call("CLIENT", "KILL", "TYPE", "PUBSUB");
  }

  /** Until everybody is connected again and has heard the last event of everybody; an earlier one may be part of a reset. */
  async settle(): Promise<void> {
    for (const member of this.members) member.lose = member.refuse = 0;
    for (let tries = 0; tries < 4; tries++) await this.pass(2_000);
    const complete = () =>
      this.members.every((each) => this.members.every((other, index) => this.#last(each, index) === other.published - 1));
    for (let tries = 0; tries < 100 && !(tries > 0 && complete()); tries++) {
      for (const [index] of this.members.entries()) this.publish(index, 1);
      for (let part = 0; part < 4; part++) await this.pass(250);
    }
  }

  #last(member: Member, publisher: number): number {
    const own = numbersOf(member.segments.flat(), publisher);
    return own.at(-1) ?? -1;
  }

  async resume(member: Member, from: number): Promise<void> {
    const ids = [...this.seen.keys()];
    const after = ids[from % Math.max(1, ids.length)];
    if (after === undefined) return;
    const replay = await member.bus.replay(after).catch(() => null);
    if (!replay || "reset" in replay) return;
    const epoch = parseBusId(after)?.epoch;
    const end = replay.batches.at(-1)?.id ?? after;
    const expected = [...this.seen.values()].filter(
      ({ id }) => parseBusId(id)?.epoch === epoch && compareBusIds(id, after) > 0 && compareBusIds(id, end) <= 0,
    );
    const got = new Set(replay.batches.map(({ id }) => id));
    expect(
      expected.filter(({ id }) => !got.has(id)).map(({ id }) => id),
      `missing after ${after}`,
    ).toEqual([]);
    for (const batch of replay.batches) {
      const known = this.seen.get(batch.id);
      if (known) expect(batch.events).toEqual(known.events);
    }
  }

  async close(): Promise<void> {
    await this.settle();
    for (const [viewer, member] of this.members.entries()) {
      for (const [publisher, { published }] of this.members.entries()) {
        for (const segment of member.segments) {
          const own = numbersOf(segment, publisher);
          const first = own[0] ?? 0;
          expect(own, `viewer ${viewer} of publisher ${publisher}`).toEqual(own.map((_, place) => first + place));
        }
        expect(this.#last(member, publisher), `viewer ${viewer} of publisher ${publisher}`).toBe(published - 1);
      }
    }
    for (let from = 0; from < this.seen.size; from++) await this.resume(this.members[from % this.members.length] as Member, from);
  }

  async end(): Promise<void> {
    await Promise.all(this.members.map(({ bus }) => bus.close()));
    for (const { link } of this.members) link?.close();
    this.#admin?.disconnect();
  }
}

function numbersOf(batches: readonly Batch[], publisher: number): number[] {
  return batches.flatMap(({ events }) =>
    events.flatMap((event: LiveEvent) => {
      const [by, number] = ("id" in event ? event.id : "").split(" ");
      return Number(by) === publisher ? [Number(number)] : [];
    }),
  );
}

async function play(history: readonly Step[], shared: boolean): Promise<void> {
  const world = new World(shared);
  const count = shared ? 3 : 1;
  try {
    for (let index = 0; index < count; index++) await world.join();
    for (const step of history) {
      const index = "at" in step ? step.at % count : 0;
      const member = world.members[index] as Member;
      if (step.do === "publish") world.publish(index, step.events);
      else if (step.do === "pass") await world.pass(step.ms);
      else if (step.do === "lose") member.lose += step.replies;
      else if (step.do === "refuse") member.refuse += step.commands;
      else if (step.do === "cut") await world.cut(member, step.what);
      else if (step.do === "forget") await world.forget();
      else if (step.do === "resume") await world.resume(member, step.from);
      else {
        member.stop();
        world.watch(member);
      }
    }
    await world.close();
  } finally {
    await world.end();
    vi.clearAllTimers();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 100 },
  { keeper: "on Redis", shared: true, runs: 40 },
])("the bus $keeper", ({ shared, runs }) => {
  test("over any history viewers miss nothing and get nothing twice, or are reset", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), (history) => play(history, shared)),
      { numRuns: runs },
    );
  });
});

test("a batch whose reply was lost is known for longer than connections usually break", async () => {
  const world = new World(true);
  await world.join();
  world.publish(0, 1);
  await world.settle();
  const [link] = world.members.map((member) => member.link);
  const [sent = ""] = (await link?.redis.keys(`${link.prefix}live:sent:*`)) ?? [];
  expect(await link?.redis.ttl(sent)).toBeGreaterThan(86_000);
  await world.end();
});
