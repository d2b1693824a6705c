import { FINAL_REV, type LiveEvent } from "@sluice/core/events";
import { silentLog } from "@sluice/core/log";
import type { RequestRow } from "@sluice/core/requests";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { requestRow, uniqueName } from "@sluice/testing/factories";
import { afterEach, describe, expect, it } from "vitest";
import { compareBusIds, NOWHERE, parseBusId } from "../src/bus-id.ts";
import type { Batch, LiveBus, ResetReason } from "../src/live-bus.ts";
import { createMemoryBus } from "../src/memory-bus.ts";
import { createRedisBus } from "../src/redis-bus.ts";
import { openRedisLink } from "../src/redis-link.ts";
import { useRedis } from "./arrange.ts";

const redis = useRedis();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

interface Options {
  /** Number of entries to keep. */
  capacity?: number;
  maxQueued?: number;
  prefix?: string;
}

function openMemory({ capacity }: Options = {}): LiveBus {
  const bus = createMemoryBus({ capacity });
  closers.push(() => bus.close());
  return bus;
}

function openRedis({ capacity, maxQueued, prefix = `${uniqueName("bus")}:` }: Options = {}): LiveBus {
  const link = openRedisLink(redis().url, { log: silentLog, prefix });
  const bus = createRedisBus(link, { log: silentLog, maxEntries: capacity, maxQueued });
  closers.push(async () => {
    await bus.close();
    link.close();
  });
  return bus;
}

/** An event that is identified by its number. */
function changed(number: number | string): LiveEvent {
  return { type: "price.changed", id: String(number) };
}

function numbers(batches: readonly Batch[]): string[] {
  return batches.flatMap((batch) => batch.events.map((event) => ("id" in event ? event.id : "")));
}

function follow(bus: LiveBus) {
  const batches: Batch[] = [];
  const resets: { reason: ResetReason; position: string }[] = [];
  const started: string[] = [];
  const stop = bus.listen({
    started: (position) => void started.push(position),
    batch: (batch) => void batches.push(batch),
    reset: (reason, position) => void resets.push({ reason, position }),
  });
  return { batches, resets, started, stop };
}

async function known(bus: LiveBus): Promise<string> {
  return until(async () => (await bus.position()) !== NOWHERE && bus.position(), { what: "a position" });
}

async function publishAll(bus: LiveBus, events: readonly LiveEvent[]): Promise<void> {
  for (const event of events) {
    bus.publish(event);
    // One entry each.
    await bus.flush();
  }
}

describe.each([
  ["memory", openMemory],
  ["redis", openRedis],
])("bus (%s)", (_twin, open) => {
  it("gives a listener everything published after it came, in order, and what was missed on replay", async () => {
    const bus = open();
    const before = await known(bus);
    const heard = follow(bus);
    await until(() => heard.started.length === 1, { what: "following" });
    for (let i = 0; i < 250; i += 1) bus.publish(changed(i));
    const expected = Array.from({ length: 250 }, (_, i) => String(i));
    await until(() => numbers(heard.batches).length === 250, { what: "250 events" });
    expect(numbers(heard.batches)).toEqual(expected);
    expect(heard.batches.length).toBeLessThan(20);
    expect(Math.max(...heard.batches.map((batch) => batch.events.length))).toBeLessThanOrEqual(100);

    const replay = await bus.replay(before);
    if ("reset" in replay) throw new Error(`reset ${replay.reset}`);
    expect(numbers(replay.batches)).toEqual(expected);
    expect(replay.position).toBe(heard.batches.at(-1)?.id);
    const half = heard.batches[0]?.id ?? "";
    const rest = await bus.replay(half);
    expect("reset" in rest ? rest.reset : numbers(rest.batches)).toEqual(expected.slice(heard.batches[0]?.events.length));
  });

  it("gives ids that rise as numbers, and its position is the newest", async () => {
    const bus = open();
    const heard = follow(bus);
    await until(() => heard.started.length === 1, { what: "following" });
    await publishAll(bus, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(changed));
    await until(() => heard.batches.length === 12, { what: "12 entries" });
    const ids = heard.batches.map((batch) => batch.id);
    for (const [at, id] of ids.slice(1).entries()) expect(compareBusIds(id, ids[at] ?? "")).toBeGreaterThan(0);
    expect(await bus.position()).toBe(ids.at(-1));
    expect(compareBusIds("e:9-2", "e:9-10")).toBeLessThan(0);
  });

  it("says why a position cannot be resumed", async () => {
    const bus = open();
    const position = await known(bus);
    const { epoch, ms } = parseBusId(position) ?? { epoch: "", ms: 0 };
    const reasonOf = async (after: string) => {
      const replay = await bus.replay(after);
      return "reset" in replay ? replay.reset : numbers(replay.batches);
    };
    expect(await reasonOf(`other${position}`)).toBe("epoch");
    expect(await reasonOf("not an id")).toBe("epoch");
    expect(await reasonOf(NOWHERE)).toBe("epoch");
    expect(await reasonOf(`${epoch}:${Date.now() + 1e9}-0`)).toBe("ahead");
    expect(await reasonOf(position)).toEqual([]);
    await publishAll(bus, [changed(1)]);
    // There never was such an entry, so what followed it is unknown.
    expect(await reasonOf(`${epoch}:${ms + 1}-7`)).toBe("too_old");
  });

  it("calls an id too old as soon as something after it was trimmed, and not before", async () => {
    const bus = open({ capacity: 100 });
    const heard = follow(bus);
    await until(() => heard.started.length === 1, { what: "following" });
    const start = heard.started[0] ?? "";
    await publishAll(
      bus,
      Array.from({ length: 450 }, (_, i) => changed(i)),
    );
    await until(() => heard.batches.length === 450, { what: "450 entries" });
    expect(await bus.replay(start)).toMatchObject({ reset: "too_old", position: heard.batches.at(-1)?.id });

    // The boundary: the newest id that is too old is followed by an entry that was the last one trimmed, or by one that still exists.
    const outcomes = await Promise.all(
      heard.batches.map(async ({ id }, at) => {
        const replay = await bus.replay(id);
        if ("reset" in replay) return replay.reset;
        expect(numbers(replay.batches)).toEqual(Array.from({ length: 449 - at }, (_, i) => String(at + 1 + i)));
        return "ok";
      }),
    );
    const border = outcomes.indexOf("ok");
    expect(border).toBeGreaterThan(100);
    expect(outcomes.slice(0, border).every((outcome) => outcome === "too_old")).toBe(true);
    expect(outcomes.slice(border).every((outcome) => outcome === "ok")).toBe(true);
    // The last trimmed one can resume: nothing after it was trimmed.
    const remaining = numbers((await replayed(bus, heard.batches[border]?.id ?? "")).batches);
    expect(remaining[0]).toBe(String(border + 1));
    if (_twin === "redis") expect(await remainingEntries()).toBe(remaining.length);
  });

  it("answers with a reset when a replay would be longer than a refetch", async () => {
    const bus = open();
    const start = await known(bus);
    for (let i = 0; i < 8_000; i += 1) bus.publish(changed(i));
    await bus.flush();
    for (let i = 0; i < 8_000; i += 1) bus.publish(changed(i));
    await bus.flush();
    expect(await bus.replay(start)).not.toHaveProperty("reset");
    for (let i = 0; i < 8_000; i += 1) bus.publish(changed(i));
    await bus.flush();
    expect(await bus.replay(start)).toMatchObject({ reset: "too_old" });
  });

  it("hears nothing after it stopped listening or closed", async () => {
    const bus = open();
    const heard = follow(bus);
    await until(() => heard.started.length === 1, { what: "following" });
    heard.stop();
    await publishAll(bus, [changed(1)]);
    const again = follow(bus);
    await until(() => again.started.length === 1, { what: "following again" });
    await publishAll(bus, [changed(2)]);
    await until(() => again.batches.length === 1, { what: "the second" });
    expect(numbers(again.batches)).toEqual(["2"]);
    expect(heard.batches).toEqual([]);
    await bus.close();
    bus.publish(changed(3));
    await bus.flush();
    expect(numbers(again.batches)).toEqual(["2"]);
  });
});

describe("the bus on Redis", () => {
  it("sends one event for a request that ends before its start was sent, and all that others did", async () => {
    const bus = openRedis();
    await known(bus);
    const heard = follow(bus);
    await until(() => heard.started.length === 1, { what: "following" });
    const [quick, slow, moving] = [requestRow(), requestRow(), requestRow()];
    const started = (row: RequestRow): LiveEvent => ({ type: "request.started", rev: 0, row: { ...row, state: "in_flight" } });
    const finished = (row: RequestRow): LiveEvent => ({ type: "request.finished", rev: FINAL_REV, row });
    for (const row of [quick, slow, moving]) bus.publish(started(row));
    bus.publish({ type: "request.progressed", rev: 1, row: moving });
    for (const row of [moving, quick]) bus.publish(finished(row));
    await bus.flush();
    bus.publish(finished(slow));
    const sent = () => heard.batches.flatMap(({ events }) => events);
    await until(() => sent().length === 6, { what: "all of them" });
    expect(sent()).toEqual([
      { type: "request.finished", rev: FINAL_REV, quick: true, row: quick },
      started(slow),
      started(moving),
      { type: "request.progressed", rev: 1, row: moving },
      finished(moving),
      finished(slow),
    ]);
  });
});

describe("the history of one process", () => {
  it("is kept for current and recent listeners and readers, and otherwise not", async () => {
    const clock = fakeClock();
    const bus = createMemoryBus({ clock });
    closers.push(() => bus.close());
    await publishAll(bus, [changed(1)]);
    const asked = await bus.position();
    clock.advance(599_000);
    await publishAll(bus, [changed(2)]);
    expect(numbers((await replayed(bus, asked)).batches), "nobody listened, but somebody had asked").toEqual(["2"]);
    follow(bus).stop();
    clock.advance(599_000);
    await publishAll(bus, [changed(3)]);
    expect(numbers((await replayed(bus, asked)).batches), "somebody had listened").toEqual(["2", "3"]);
    clock.advance(601_000);
    await publishAll(bus, [changed(4)]);
    expect(await bus.replay(asked)).toMatchObject({ reset: "too_old" });
    const { position } = await bus.replay(asked);
    await publishAll(bus, [changed(5)]);
    expect(numbers((await replayed(bus, position)).batches), "from there on it is complete again").toEqual(["5"]);
  });
});

async function replayed(bus: LiveBus, after: string): Promise<{ batches: Batch[] }> {
  const replay = await bus.replay(after);
  if ("reset" in replay) throw new Error(`reset ${replay.reset}`);
  return replay;
}

/** Entries in the only trimmed stream of this server. */
async function remainingEntries(): Promise<number> {
  const link = openRedisLink(redis().url, { log: silentLog });
  await until(link.ready, { what: "a connection" });
  const keys = await link.redis.keys("bus*:live");
  const lengths = await Promise.all(keys.map((key) => link.redis.xlen(key)));
  link.close();
  return Math.max(...lengths);
}
