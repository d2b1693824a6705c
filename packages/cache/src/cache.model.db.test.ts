import { createHash } from "node:crypto";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Instance, newPrefix, start } from "../test/instances.ts";
import type { CacheEntry } from "./cache.ts";

/**
 * Random histories of readers and writers over three instances with little room in Redis. The model is the data itself: an answer is what a
 * computation would say now, wherever it is read after every instance has heard of the last change.
 */
let server: TestRedis;

beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const ROOM = { redisEntries: 4, redisBytes: 400 };
const users = 3;
/** What an answer depends on; of different lengths. */
const questions = [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]];

const at = fc.nat(2);
const kind = <T extends string>(name: T) => fc.constant(name);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: kind("read"), at, question: fc.nat(questions.length - 1) }) },
  { weight: 4, arbitrary: fc.record({ do: kind("write"), at, user: fc.nat(users - 1) }) },
  // A computation that others overtake.
  { weight: 3, arbitrary: fc.record({ do: kind("begin"), at, question: fc.nat(questions.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: kind("end") }) },
  { weight: 1, arbitrary: fc.record({ do: kind("clear"), at }) },
  { weight: 1, arbitrary: fc.record({ do: kind("forget") }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function entryOf(question: number): CacheEntry {
  const tags = (questions[question] ?? []).map((user) => `user:${user}` as const);
  return { kind: "stats", id: `stats:${createHash("sha1").update(`${question}`).digest("hex")}`, tags: ["namespace:stats", ...tags] };
}

class World {
  readonly data = new Array<number>(users).fill(1);
  readonly instances: Instance[] = [];
  readonly prefix = newPrefix();
  pending: { done: () => void; answer: Promise<unknown> }[] = [];

  async open(): Promise<void> {
    for (let count = 0; count < 3; count++) {
      const instance = await start(server.url, { prefix: this.prefix, limits: ROOM });
      this.instances.push(instance);
    }
    await this.hear();
  }

  /** Messages come on other connections. */
  async hear(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await Promise.all(this.instances.map(({ redis }) => redis?.ping()));
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    }
  }

  #answer(question: number): string {
    return (questions[question] ?? []).map((user) => `${this.data[user]}`.padStart(20 + 30 * user)).join();
  }

  async read(index: number, question: number): Promise<void> {
    const answer = this.instances[index]?.cache.read(entryOf(question), async () => this.#answer(question));
    expect((await answer)?.value, `question ${question} at ${index}`).toBe(this.#answer(question));
  }

  begin(index: number, question: number): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const answer = this.instances[index]?.cache.read(entryOf(question), async () => {
      const read = this.#answer(question);
      await promise;
      return read;
    });
    this.pending.push({ done: resolve, answer: Promise.resolve(answer) });
  }

  async end(): Promise<void> {
    const all = this.pending.splice(0);
    for (const { done } of all) done();
    await Promise.all(all.map(({ answer }) => answer));
  }

  async write(index: number, user: number): Promise<void> {
    this.data[user] = (this.data[user] ?? 0) + 1;
    await this.instances[index]?.cache.invalidate(`user:${user}`);
  }

  /** The account that keeps the tier bounded agrees with what is there. */
  async audit(): Promise<void> {
    const [{ redis } = { redis: null }] = this.instances;
    const [index, sizes] = [`${this.prefix}cache:index`, `${this.prefix}cache:sizes`];
    const kept = ((await redis?.keys(`${this.prefix}cache:entry:*`)) ?? []).sort();
    expect(((await redis?.zrange(index, "0", "-1")) ?? []).sort()).toEqual(kept);
    const { total = "0", ...each } = (await redis?.hgetall(sizes)) ?? {};
    expect(Object.keys(each).sort()).toEqual(kept);
    expect(Object.values(each).reduce((sum, bytes) => sum + Number(bytes), 0)).toBe(Number(total));
    expect(kept.length).toBeLessThanOrEqual(ROOM.redisEntries);
    expect(Number(total)).toBeLessThanOrEqual(ROOM.redisBytes);
  }

  async forget(): Promise<void> {
    const [{ redis } = { redis: null }] = this.instances;
    const keys = (await redis?.keys(`${this.prefix}*`)) ?? [];
    if (keys.length > 0) await redis?.del(...keys);
  }
}

async function play(history: readonly Step[]): Promise<void> {
  const world = new World();
  await world.open();
  try {
    for (const step of history) {
      if (step.do === "begin") world.begin(step.at, step.question);
      else if (step.do === "write") await world.write(step.at, step.user);
      else if (step.do === "clear") await world.instances[step.at]?.cache.clear("stats");
      else if (step.do === "forget") await world.forget();
      else {
        await world.end();
        await world.hear();
        if (step.do === "read") await world.read(step.at, step.question);
      }
    }
    await world.end();
    await world.hear();
    for (const [index] of world.instances.entries()) {
      for (const [question] of questions.entries()) await world.read(index, question);
    }
    await world.audit();
  } finally {
    await world.end();
    for (const { cache, redis } of world.instances) {
      cache.close();
      redis?.disconnect();
    }
  }
}

test("over any history an answer is what a computation would say, and the tier keeps within its bounds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), (history) => play(history)),
    { numRuns: 60 },
  );
});
