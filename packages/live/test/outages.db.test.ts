import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { uniqueName } from "@sluice/testing/factories";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { parseBusId } from "../src/bus-id.ts";
import type { LiveBus } from "../src/live-bus.ts";
import { createRedisBus } from "../src/redis-bus.ts";
import { openRedisLink } from "../src/redis-link.ts";
import { useRedis } from "./arrange.ts";

const redis = useRedis();
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function openBus(prefix: string, options: { maxQueued?: number } = {}): LiveBus {
  const link = openRedisLink(redis().url, { log: silentLog, prefix });
  const bus = createRedisBus(link, { log: silentLog, ...options });
  closers.push(async () => {
    await bus.close();
    link.close();
  });
  return bus;
}

/** Another client of the same server. */
function operator(): Redis {
  const client = new Redis(redis().url);
  client.on("error", () => undefined);
  closers.push(() => client.disconnect());
  return client;
}

/** Everything received, in order: event ids, and resets as `reset:<reason>`. */
async function follow(bus: LiveBus): Promise<string[]> {
  const heard: string[] = [];
  let started = false;
  const stop = bus.listen({
    started: () => {
      started = true;
    },
    batch: ({ events }) => void heard.push(...events.map((event) => ("id" in event ? event.id : ""))),
    reset: (reason) => void heard.push(`reset:${reason}`),
  });
  closers.push(stop);
  await until(() => started, { what: "following" });
  return heard;
}

function publish(bus: LiveBus, from: number, to: number): string[] {
  const ids = Array.from({ length: to - from }, (_, i) => String(from + i));
  for (const id of ids) bus.publish({ type: "price.changed", id });
  return ids;
}

async function heardAll(heard: string[], expected: readonly string[], what: string): Promise<void> {
  await until(() => heard.length >= expected.length, { what, deadlineMs: 20_000 });
  expect(heard).toEqual(expected);
}

describe("redis bus under faults", () => {
  it("joins two processes by one Redis, each hearing both in the same order", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const [one, two] = [openBus(prefix), openBus(prefix)];
    const [first, second] = [await follow(one), await follow(two)];
    for (let round = 0; round < 20; round += 1) {
      publish(one, round * 10, round * 10 + 5);
      publish(two, round * 10 + 5, round * 10 + 10);
      await Promise.all([one.flush(), two.flush()]);
    }
    await until(() => first.length === 200 && second.length === 200, { what: "both heard all" });
    expect(second).toEqual(first);
    expect([...first].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
  });

  it("loses and repeats nothing when the subscriber's or every connection is cut again and again", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const [writer, reader] = [openBus(prefix), openBus(prefix)];
    const heard = await follow(reader);
    const kill = operator();
    const expected: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      expected.push(...publish(writer, round * 50, round * 50 + 25));
      await kill.call("CLIENT", "KILL", "TYPE", round % 2 === 0 ? "pubsub" : "normal");
      expected.push(...publish(writer, round * 50 + 25, round * 50 + 50));
      await until(() => heard.length > round * 50, { what: `something of round ${round}` });
    }
    await heardAll(heard, expected, "all rounds");
  });

  it("delivers everything once after Redis was frozen for longer than a command may take", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const bus = openBus(prefix);
    const heard = await follow(bus);
    const expected = publish(bus, 0, 10);
    await heardAll(heard, expected, "before the freeze");
    redis().pause();
    const frozen = performance.now();
    expected.push(...publish(bus, 10, 400));
    // Two batches time out and are sent again: Redis will find the first of them in its socket as well.
    await until(() => performance.now() - frozen > 4_500, { what: "two timeouts" });
    expect(await bus.position()).not.toBe("");
    redis().resume();
    await heardAll(heard, expected, "after the freeze");
  });

  it("resets viewers once when Redis comes back empty, and goes on", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const bus = openBus(prefix);
    const heard = await follow(bus);
    publish(bus, 0, 10);
    await until(() => heard.length === 10, { what: "before the restart" });
    const old = await bus.position();
    await redis().restart();
    publish(bus, 10, 20);
    await until(() => heard.includes("reset:epoch"), { what: "a reset" });
    publish(bus, 20, 30);
    await until(() => heard.includes("29"), { what: "events after the restart" });
    expect(heard.slice(10).filter((each) => each.startsWith("reset"))).toEqual(["reset:epoch"]);
    // Events that the reset did not cover arrive once, without a gap.
    const after = heard.slice(heard.indexOf("reset:epoch") + 1);
    expect(after).toEqual(Array.from({ length: after.length }, (_, i) => String(30 - after.length + i)));
    expect(await bus.replay(old)).toMatchObject({ reset: "epoch" });
  });

  it("resets viewers after FLUSHALL with the connections open", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const bus = openBus(prefix);
    const heard = await follow(bus);
    publish(bus, 0, 3);
    await until(() => heard.length === 3, { what: "before the flush" });
    const old = await bus.position();
    await operator().flushall();
    publish(bus, 3, 6);
    await until(() => heard.includes("reset:epoch"), { what: "a reset" });
    publish(bus, 6, 9);
    await until(() => heard.includes("8"), { what: "events after the flush" });
    expect(heard.filter((each) => each.startsWith("reset"))).toEqual(["reset:epoch"]);
    expect(parseBusId(await bus.position())?.epoch).not.toBe(parseBusId(old)?.epoch);
  });

  it("resets viewers when Redis was put back to an older state of the same epoch", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const bus = openBus(prefix);
    const heard = await follow(bus);
    publish(bus, 0, 1);
    await until(() => heard.length === 1, { what: "the first" });
    const early = await bus.position();
    publish(bus, 1, 2);
    await until(() => heard.length === 2, { what: "the second" });
    const late = await bus.position();
    // As after loading an older dump: the second entry and the head that refers to it are gone.
    const client = operator();
    await client.xdel(`${prefix}live`, late.split(":")[1] ?? "");
    await client.hset(`${prefix}live:head`, "last", early.split(":")[1] ?? "");
    expect(await bus.replay(late)).toMatchObject({ reset: "ahead" });
    publish(bus, 2, 3);
    await until(() => heard.length > 2, { what: "the third, or a reset" });
    expect(heard[2]).toBe("reset:too_old");
    expect(await bus.replay(late)).toMatchObject({ reset: "too_old" });
    expect(await bus.replay(early)).not.toHaveProperty("reset");
  });

  it("starts a new epoch when its own queue overflowed, and not after a mere reconnection", async () => {
    const prefix = `${uniqueName("bus")}:`;
    const [writer, reader] = [openBus(prefix, { maxQueued: 50 }), openBus(prefix)];
    const heard = await follow(reader);
    publish(writer, 0, 10);
    await until(() => heard.length === 10, { what: "before" });
    const before = await reader.position();
    await operator().call("CLIENT", "KILL", "TYPE", "normal");
    publish(writer, 10, 20);
    await until(() => heard.length === 20, { what: "after a reconnection" });
    expect(parseBusId(await reader.position())?.epoch).toBe(parseBusId(before)?.epoch);

    redis().pause();
    publish(writer, 20, 21);
    publish(writer, 21, 400);
    redis().resume();
    await until(() => heard.includes("reset:epoch"), { what: "a reset" });
    publish(writer, 400, 401);
    await until(() => heard.includes("400"), { what: "an event after the reset" });
    expect(heard.filter((each) => each.startsWith("reset"))).toEqual(["reset:epoch"]);
    expect(await reader.replay(before)).toMatchObject({ reset: "epoch" });
    expect(parseBusId(await reader.position())?.epoch).not.toBe(parseBusId(before)?.epoch);
  });

  it("never throws and recovers by itself when Redis was never there", async () => {
    const prefix = `${uniqueName("bus")}:`;
    await redis().kill();
    const bus = openBus(prefix);
    const heard: string[] = [];
    let started = false;
    const listener = {
      started: () => {
        started = true;
      },
      batch: ({ events }: { events: readonly object[] }) =>
        void heard.push(...events.map((event) => ("id" in event ? String(event.id) : ""))),
      reset: () => undefined,
    };
    closers.push(bus.listen(listener));
    publish(bus, 0, 5);
    await bus.flush();
    // A position that will be answered with a reset, so that missed events are fetched.
    const nowhere = await bus.position();
    await expect(bus.replay(nowhere)).rejects.toThrow();
    await redis().restart();
    await until(() => started, { what: "following" });
    expect(await bus.replay(nowhere)).toMatchObject({ reset: "epoch" });
    publish(bus, 5, 10);
    await until(() => heard.includes("9"), { what: "events" });
  });
});
