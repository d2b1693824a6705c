import type { LiveEvent } from "@sluice/core/events";
import { newId } from "@sluice/core/ids";
import { silentLog } from "@sluice/core/log";
import type { RequestRow } from "@sluice/core/requests";
import { fakeClock } from "@sluice/testing/clock";
import { requestDetail, requestRow, uniqueName } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createMemoryBus } from "../src/memory-bus.ts";
import { createPresence } from "../src/presence.ts";
import { openRedisLink, type RedisLink } from "../src/redis-link.ts";
import { createRegistry } from "../src/registry.ts";
import { rowInFlight, useRedis } from "./arrange.ts";

/**
 * One contract, two implementations: random histories of requests over several instances that die, return under their name or are taken
 * over, on a Redis that may lose everything. The model is the list of requests that Postgres does not have: every instance lists exactly
 * those, whoever owns them.
 */
const server = useRedis();

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const at = fc.nat(2);
const which = fc.nat(50);
const kind = <T extends string>(name: T) => fc.constant(name);
const step = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: kind("start"), at, times: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(250)) }) },
  { weight: 4, arbitrary: fc.record({ do: kind("progress"), which }) },
  { weight: 5, arbitrary: fc.record({ do: kind("finish"), which, times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: kind("settle"), which }) },
  { weight: 4, arbitrary: fc.record({ do: kind("pass"), ms: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ do: kind("look") }) },
  { weight: 2, arbitrary: fc.record({ do: kind("die"), at }) },
  { weight: 2, arbitrary: fc.record({ do: kind("come back"), at }) },
  { weight: 1, arbitrary: fc.record({ do: kind("take over"), at, dead: at }) },
  { weight: 1, arbitrary: fc.record({ do: kind("adopt"), at, dead: at }) },
  { weight: 1, arbitrary: fc.record({ do: kind("cut"), at }) },
  { weight: 1, arbitrary: fc.record({ do: kind("forget") }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const start: Step = { do: "start", at: 1, times: 1 };
const look: Step = { do: "look" };
/** Histories that once went wrong. */
const examples: [Step[]][] = [
  // The first request after Redis came back empty, of an instance that had none when it did.
  [[start, { do: "finish", which: 0, times: 1 }, { do: "settle", which: 0 }, { do: "forget" }, look, start]],
  // What a dead instance left is settled, or taken over, while Redis is away.
  [[start, { do: "die", at: 1 }, { do: "cut", at: 0 }, { do: "adopt", at: 0, dead: 1 }, look]],
  [[start, { do: "die", at: 1 }, { do: "cut", at: 0 }, { do: "take over", at: 0, dead: 1 }, { do: "settle", which: 0 }, look]],
];

interface Request {
  row: RequestRow;
  owner: number;
}

interface Member {
  registry: ReturnType<typeof createRegistry>;
  link: RedisLink | null;
  life: string;
  alive: boolean;
}

class World {
  readonly clock = fakeClock();
  readonly bus = createMemoryBus();
  readonly members: Member[] = [];
  /** Requests that Postgres does not have. */
  requests: Request[] = [];
  readonly revs = new Map<string, number>();
  readonly #prefix = `${uniqueName("rows")}:`;

  constructor() {
    const batch = ({ events }: { events: readonly LiveEvent[] }) => {
      for (const event of events) {
        if (!("rev" in event) || event.type === "request.lost") continue;
        // A restored end may be told again.
        expect(event.rev, event.type).toBeGreaterThanOrEqual(this.revs.get(event.row.id) ?? -1);
        this.revs.set(event.row.id, event.rev);
      }
    };
    this.bus.listen({ started: () => undefined, reset: () => undefined, batch });
  }

  async join(index: number, shared: boolean): Promise<void> {
    const instanceId = `i${index}`;
    const common = { bus: this.bus, clock: this.clock, instanceId };
    if (!shared) {
      this.members[index] = { registry: createRegistry({ ...common, redis: null }), link: null, life: "", alive: true };
      return;
    }
    const link = openRedisLink(server().url, { log: silentLog, prefix: this.#prefix });
    const presence = createPresence(link, { instanceId });
    const registry = createRegistry({ ...common, redis: { link, presence } });
    this.members[index] = { registry, link, life: presence.life, alive: true };
    while (!link.ready()) await new Promise(setImmediate);
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
    for (const { link, alive } of this.members) {
      while (alive && link && !link.ready()) {
        await vi.advanceTimersByTimeAsync(20);
        await new Promise(setImmediate);
      }
    }
    for (let round = 0; round < 6; round++) await Promise.all(this.members.map(({ link, alive }) => (alive ? link?.redis.ping() : null)));
  }

  async rest(): Promise<void> {
    for (let tries = 0; tries < 5; tries++) await this.pass(220);
    await this.bus.flush();
  }

  of(index: number): Request[] {
    return this.requests.filter(({ owner }) => owner === index);
  }

  start(index: number, times: number): void {
    for (let count = 0; count < times; count++) {
      const row = rowInFlight({ id: newId() });
      this.requests.push({ row, owner: index });
      this.members[index]?.registry.started(row);
    }
  }

  progress(request: Request): void {
    request.row = { ...request.row, ttftMs: (request.row.ttftMs ?? 0) + 1 };
    this.members[request.owner]?.registry.progressed(request.row);
  }

  finish(request: Request): void {
    request.row = requestRow({ id: request.row.id });
    this.members[request.owner]?.registry.finished(request.row, requestDetail({ id: request.row.id }));
  }

  settle(request: Request): void {
    this.requests = this.requests.filter((each) => each !== request);
    this.members[request.owner]?.registry.settled([request.row.id]);
  }

  async die(index: number): Promise<void> {
    const member = this.members[index] as Member;
    if (!member.link || !member.alive || this.members.filter(({ alive }) => alive).length === 1) return;
    await this.rest();
    // As if its heartbeat had expired.
    await member.link.redis.zadd(`${this.#prefix}instances`, "XX", Date.now() - 20_000, member.life);
    member.alive = false;
    await member.registry.close();
    member.link.close();
  }

  /** What the spool of a dead instance says: what was in flight was interrupted. */
  #recover(owner: number): { row: RequestRow; detail: ReturnType<typeof requestDetail> }[] {
    for (const request of this.of(owner)) request.row = requestRow({ id: request.row.id });
    return this.of(owner).map(({ row }) => ({ row, detail: requestDetail({ id: row.id }) }));
  }

  async comeBack(index: number): Promise<void> {
    if (this.members[index]?.alive !== false) return;
    await this.join(index, true);
    this.members[index]?.registry.restore(this.#recover(index));
  }

  takeOver(index: number, dead: number): void {
    if (this.members[dead]?.alive !== false) return;
    this.members[index]?.registry.restore(this.#recover(dead));
    for (const request of this.of(dead)) request.owner = index;
  }

  /** Settles what a dead instance left, without having had it. */
  adopt(index: number, dead: number): void {
    if (this.members[dead]?.alive !== false) return;
    this.members[index]?.registry.settled(this.of(dead).map(({ row }) => row.id));
    this.requests = this.requests.filter(({ owner }) => owner !== dead);
  }

  /** What follows happens without Redis, until time passes. */
  async cut({ link, alive }: Member): Promise<void> {
    if (!alive || !link?.ready()) return;
    link.redis.disconnect(true);
    while (link.ready()) await new Promise(setImmediate);
  }

  /** Redis loses everything, and with it what the dead left there until they return. */
  async forget(): Promise<void> {
    await this.pass(1);
    const [living] = this.members.filter(({ alive }) => alive);
    const keys = (await living?.link?.redis.keys(`${this.#prefix}*`)) ?? [];
    for (const [index, { alive }] of this.members.entries()) if (!alive) await this.comeBack(index);
    if (keys.length > 0) await living?.link?.redis.del(...keys);
    for (const member of this.members) await this.cut(member);
  }

  async look(): Promise<void> {
    await this.rest();
    const expected = new Map(
      this.requests.map(({ row, owner }) => {
        const isLost = row.state === "in_flight" && !this.members[owner]?.alive;
        return [row.id, isLost ? { ...row, state: "lost" } : row];
      }),
    );
    for (const [index, { alive, registry }] of this.members.entries()) {
      if (!alive) continue;
      const rows = await registry.list();
      expect(
        rows.map(({ id }) => id),
        `listed by ${index}`,
      ).toEqual([...expected.keys()].sort().reverse());
      for (const row of rows) expect(row).toEqual(expected.get(row.id));
      expect(registry.inFlight()).toBe(this.of(index).filter(({ row }) => row.state === "in_flight").length);
      const [any] = rows;
      if (any) expect((await registry.find(any.id))?.row).toEqual(any);
    }
  }

  async close(): Promise<void> {
    for (const [index] of this.members.entries()) await this.comeBack(index);
    await this.look();
    for (const request of this.requests) if (request.row.state === "in_flight") this.finish(request);
    for (const request of [...this.requests]) this.settle(request);
    await this.look();
    const [link] = this.members.map((member) => member.link);
    const left = (await link?.redis.keys(`${this.#prefix}registry:*`)) ?? [];
    expect(left.filter((key) => !key.endsWith(":taken"))).toEqual([]);
  }

  disconnect(): void {
    for (const { link, registry } of this.members) {
      void registry.close();
      link?.close();
    }
  }
}

async function play(history: readonly Step[], shared: boolean): Promise<void> {
  const world = new World();
  const count = shared ? 3 : 1;
  try {
    for (let index = 0; index < count; index++) await world.join(index, shared);
    for (const step of history) {
      const index = "at" in step ? step.at % count : 0;
      const isUp = world.members[index]?.alive;
      const own = world.requests.filter(({ owner }) => world.members[owner]?.alive);
      const open = own.filter(({ row }) => row.state === "in_flight");
      const pick = (from: Request[], which: number) => from.slice(which % Math.max(1, from.length));
      if (step.do === "start" && isUp) world.start(index, step.times);
      else if (step.do === "progress") for (const request of pick(open, step.which).slice(0, 1)) world.progress(request);
      else if (step.do === "finish") for (const request of pick(open, step.which).slice(0, step.times)) world.finish(request);
      else if (step.do === "settle") {
        for (const request of pick(
          own.filter((each) => !open.includes(each)),
          step.which,
        ))
          world.settle(request);
      } else if (step.do === "pass") await world.pass(step.ms);
      else if (step.do === "look") await world.look();
      else if (step.do === "die") await world.die(index);
      else if (step.do === "come back") await world.comeBack(index);
      else if (step.do === "take over" && isUp) world.takeOver(index, step.dead % count);
      else if (step.do === "adopt" && isUp) world.adopt(index, step.dead % count);
      else if (step.do === "cut" && isUp) await world.cut(world.members[index] as Member);
      else if (step.do === "forget") await world.forget();
    }
    await world.close();
  } finally {
    world.disconnect();
    vi.clearAllTimers();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 60 },
  { keeper: "on Redis", shared: true, runs: 40 },
])("the registry $keeper", ({ shared, runs }) => {
  test("over any history every instance lists exactly what Postgres does not have", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), (history) => play(history, shared)),
      { numRuns: runs, examples },
    );
  });
});
