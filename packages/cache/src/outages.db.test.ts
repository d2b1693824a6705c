import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { counter, type Instance, newPrefix, read, start } from "../test/instances.ts";

let server: TestRedis;
beforeEach(async () => {
  server = await startTestRedis();
});
afterEach(() => server.stop());

/** As in production: a command may take 200 ms. */
const hasty = { commandMs: 200 };

/** Reads continuously; `seen` holds the values in order. */
function load(instance: Instance, value: () => number): { seen: number[]; stop(): Promise<void> } {
  const seen: number[] = [];
  let going = true;
  const run = async (): Promise<void> => {
    while (going) {
      seen.push((await read(instance, value)).value);
      await sleep(2);
    }
  };
  const readers = Promise.all([run(), run(), run()]);
  return {
    seen,
    async stop() {
      going = false;
      await readers;
    },
  };
}

describe.each(["killed", "paused"])("P01: Redis is %s and comes back", (how) => {
  const away = async (): Promise<void> => (how === "killed" ? server.kill() : server.pause());
  const back = async (): Promise<void> => (how === "killed" ? server.restart() : server.resume());

  test("every read is answered, none wrongly, and what is kept is shared again", async () => {
    const prefix = newPrefix();
    const [a, b] = [await start(server.url, { prefix, timing: hasty }), await start(server.url, { prefix, timing: hasty })];
    let truth = 0;
    const change = async (): Promise<void> => {
      truth++;
      await a.cache.invalidate("namespace:stats");
      // The process that made the change sees it at once, with or without Redis.
      expect((await read(a, () => truth)).value).toBe(truth);
    };
    const loads = [load(a, () => truth), load(b, () => truth)];
    const last = (): number[] => loads.map(({ seen }) => seen.at(-1) ?? -1);
    await change();
    await until(() => last().every((value) => value === truth), { what: "both see the change" });

    await away();
    // A Redis that hangs is only noticed by a read.
    let input = 0;
    await until(async () => (await read(b, () => truth, { input: input++ })).cache === "bypass", { what: "the reads are marked" });
    const hits = b.cache.figures().stats.hits;
    await change();
    await until(() => loads.every(({ seen }) => seen.length > 100), { what: "reads without Redis" });
    expect((await read(b, () => truth)).cache).toBe("bypass");
    const { bypasses } = b.cache.figures().stats;
    expect(bypasses).toBeGreaterThan(0);
    expect(b.cache.figures().stats.hits).toBe(hits);

    await back();
    await until(async () => (await read(b, () => truth)).cache === "hit", { what: "hits again", deadlineMs: 15_000 });
    await until(() => last().every((value) => value === truth), { what: "both see the change made meanwhile" });
    await change();
    await until(() => last().every((value) => value === truth), { what: "both see the next one" });
    // No reader ever saw an older value after a newer one.
    for (const { seen, stop } of loads) {
      await stop();
      expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    }
  });
});

test("P02: a host that accepts connections and never answers delays nobody", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const one = await start(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`, {
    prefix: newPrefix(),
    timing: hasty,
    waits: false,
  });
  expect(await read(one, () => 1)).toMatchObject({ value: 1, cache: "bypass" });
  expect(one.cache.figures().stats).toMatchObject({ bypasses: 1, errors: 0 });
  silent.close();
});

test("a process starts and answers where no Redis is, and uses it once it comes", async () => {
  await server.kill();
  const prefix = newPrefix();
  const one = await start(server.url, { prefix, timing: hasty });
  const value = counter();
  expect(await read(one, value.next)).toMatchObject({ value: 1, cache: "bypass" });
  expect(await read(one, value.next)).toMatchObject({ value: 1, cache: "bypass" });
  await server.restart();
  let input = 0;
  const keep = async (): Promise<boolean> => {
    await read(one, value.next, { input: ++input });
    return (await one.redis?.keys(`${prefix}cache:entry:*`))?.length === 1;
  };
  await until(keep, { what: "what is read is kept in Redis" });
  expect(await read(one, value.next, { input })).toMatchObject({ cache: "hit" });
});

test("P10: without Redis the same contract holds in one process", async () => {
  const one = await start(null, { prefix: newPrefix() });
  const value = counter();
  const reads = await Promise.all(Array.from({ length: 100 }, () => read(one, value.next)));
  expect(reads.every((answer) => answer.value === 1 && answer.cache === "miss")).toBe(true);
  expect(await read(one, value.next, { kind: "trend" })).toMatchObject({ value: 2 });
  await one.cache.invalidate("namespace:stats");
  expect(await read(one, value.next)).toMatchObject({ value: 3, cache: "miss" });
  expect(await read(one, value.next, { kind: "trend" })).toMatchObject({ value: 2, cache: "hit" });
  expect(await one.cache.clear("trend")).toBe(1);
  expect(await read(one, value.next, { kind: "trend" })).toMatchObject({ value: 4, cache: "miss" });
});

test("H19: an answer that Redis does not accept is returned all the same, counted, and logged once a minute", async () => {
  const told: object[] = [];
  const clock = { at: 0 };
  const one = await start(server.url, {
    prefix: newPrefix(),
    clock: { now: () => Date.now(), monotonic: () => clock.at },
    log: { ...silentLog, warn: (fields, message) => message.includes("could not be kept") && told.push(fields) },
  });
  const computeWithout = async (input: number): Promise<void> => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<number>();
    const reading = read(
      one,
      () => {
        begun.resolve();
        return gate.promise;
      },
      { input },
    );
    await begun.promise;
    await server.kill();
    gate.resolve(input);
    expect((await reading).value).toBe(input);
    await server.restart();
    // An answer computed while changes were missed is not stored anywhere. The local copies count again once the process receives changes.
    const isHit = async () => (await read(one, () => 0, { kind: "trend" })).cache === "hit";
    await until(async () => (await isHit()) && (await one.redis?.flushall()) && (await isHit()), { what: "it hears of changes again" });
  };
  await computeWithout(1);
  await computeWithout(2);
  expect(one.cache.figures().stats).toMatchObject({ writesFailed: 2, errors: 2 });
  expect(told).toHaveLength(1);
  clock.at += 60_001;
  await computeWithout(3);
  expect(told).toEqual([expect.objectContaining({ writesFailed: 1 }), expect.objectContaining({ writesFailed: 3 })]);
});
