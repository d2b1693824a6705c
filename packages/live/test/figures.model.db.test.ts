import { silentLog } from "@sluice/core/log";
import { type Attempt, noUsage } from "@sluice/core/requests";
import { fakeClock } from "@sluice/testing/clock";
import { requestRow, uniqueName } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ProviderFigures } from "../src/contract.ts";
import { createProviderFigures } from "../src/health.ts";
import { createMemoryBus } from "../src/memory-bus.ts";
import { createPresence } from "../src/presence.ts";
import { openRedisLink, type RedisLink } from "../src/redis-link.ts";
import { useRedis } from "./arrange.ts";

/** One contract, two implementations: over random histories with lost replies, deaths and stops the figures are the sums of the attempts. */
const server = useRedis();

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const providers = ["p1", "p2"];
/** Beyond the integers that a double can hold. */
const costs = ["0", "3", "9007199254740993", "100000000000000000"];

const at = fc.nat(2);
const provider = fc.constantFrom(...providers);
const kind = <T extends string>(name: T) => fc.constant(name);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: kind("start"), at, provider }) },
  { weight: 6, arbitrary: fc.record({ do: kind("finish"), at, failed: fc.boolean(), cost: fc.constantFrom(...costs) }) },
  { weight: 5, arbitrary: fc.record({ do: kind("pass"), ms: fc.integer({ min: 0, max: 1_500 }) }) },
  { weight: 2, arbitrary: fc.record({ do: kind("lose"), at, replies: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: kind("die"), at }) },
  { weight: 1, arbitrary: fc.record({ do: kind("stop"), at }) },
  { weight: 2, arbitrary: fc.record({ do: kind("look") }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Member {
  figures: ProviderFigures;
  link: RedisLink | null;
  life: string;
  lose: number;
  /** Providers of the attempts in flight. */
  open: string[];
}

class World {
  readonly clock = fakeClock();
  readonly bus = createMemoryBus();
  readonly members: Member[] = [];
  readonly counted = new Map(providers.map((id) => [id, { requests: 0, errors: 0, cost: 0n }]));
  readonly #prefix = `${uniqueName("figures")}:`;

  async join(index: number, shared: boolean): Promise<void> {
    const common = { bus: this.bus, clock: this.clock, zone: () => "UTC", breakers: () => [] };
    const member = { link: null, life: "", lose: 0, open: [] as string[] } as unknown as Member;
    if (shared) {
      const link = openRedisLink(server().url, { log: silentLog, prefix: this.#prefix });
      while (!link.ready()) await new Promise(setImmediate);
      const presence = createPresence(link, { instanceId: `i${index}` });
      const run: RedisLink["run"] = async (...call) => {
        const reply = await link.run(...call);
        if (member.lose === 0) return reply;
        member.lose -= 1;
        throw new Error("The reply was lost.");
      };
      member.link = link;
      member.life = presence.life;
      member.figures = createProviderFigures({ ...common, redis: { link: { ...link, run }, presence } });
    } else member.figures = createProviderFigures({ ...common, redis: null });
    this.members[index] = member;
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
    for (let round = 0; round < 2; round++) await Promise.all(this.members.map(({ link }) => link?.redis.ping()));
  }

  async rest(): Promise<void> {
    for (const member of this.members) member.lose = 0;
    for (let tries = 0; tries < 4; tries++) await this.pass(1_001);
  }

  start(member: Member, providerId: string): void {
    member.open.push(providerId);
    member.figures.attemptStarted(providerId);
  }

  finish(member: Member, failed: boolean, cost: string): void {
    const providerId = member.open.shift();
    const counted = this.counted.get(providerId ?? "");
    if (providerId === undefined || !counted) return;
    counted.requests += 1;
    counted.errors += failed ? 1 : 0;
    counted.cost += BigInt(cost);
    const ended = { startedMs: 0, firstContentMs: 1, endedMs: 2, status: 200, errorCode: "", upstreamModel: "m", usage: noUsage };
    const attempt: Attempt = { ...ended, providerId, outcome: failed ? "failed" : "ok", upstreamCostNanoUsd: cost };
    member.figures.requestFinished(requestRow(), [attempt]);
  }

  async die(index: number): Promise<void> {
    const { link, life } = this.members[index] as Member;
    if (!link) return;
    await this.rest();
    // As if its heartbeat had expired.
    await link.redis.zadd(`${this.#prefix}instances`, "XX", Date.now() - 20_000, life);
    link.close();
    await this.join(index, true);
  }

  /** Stops properly, while a report is in progress, and starts again. */
  async stop(index: number): Promise<void> {
    const member = this.members[index] as Member;
    if (!member.link) return;
    await this.rest();
    this.start(member, "p1");
    this.clock.advance(1_001);
    await vi.advanceTimersByTimeAsync(1_001);
    while (member.open.length > 0) this.finish(member, false, "1");
    await member.figures.close();
    await member.link.redis.zrem(`${this.#prefix}instances`, member.life);
    member.link.close();
    await this.join(index, true);
  }

  async look(): Promise<void> {
    await this.rest();
    const open = this.members.flatMap((member) => member.open);
    for (const { figures } of this.members) {
      const list = await figures.list();
      for (const [providerId, { requests, errors, cost }] of this.counted) {
        const { breakers: _, ...found } = list.find((each) => each.providerId === providerId) ?? {
          ...{ providerId, requests: 0, errors: 0, costNanoUsd: "0", inFlight: 0, breakers: [] },
        };
        const inFlight = open.filter((each) => each === providerId).length;
        expect(found).toEqual({ providerId, requests, errors, costNanoUsd: cost.toString(), inFlight });
      }
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
      const member = world.members[index] as Member;
      if (step.do === "start") world.start(member, step.provider);
      else if (step.do === "finish") world.finish(member, step.failed, step.cost);
      else if (step.do === "pass") await world.pass(step.ms);
      else if (step.do === "lose") member.lose += step.replies;
      else if (step.do === "die") await world.die(index);
      else if (step.do === "stop") await world.stop(index);
      else await world.look();
    }
    for (const member of world.members) while (member.open.length > 0) world.finish(member, false, "1");
    await world.look();
  } finally {
    for (const { link } of world.members) link?.close();
    vi.clearAllTimers();
  }
}

describe.each([
  { keeper: "in process", shared: false, runs: 100 },
  { keeper: "on Redis", shared: true, runs: 60 },
])("figures kept $keeper", ({ shared, runs }) => {
  test("over any history they are the sums of the attempts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), (history) => play(history, shared)),
      { numRuns: runs },
    );
  });
});
