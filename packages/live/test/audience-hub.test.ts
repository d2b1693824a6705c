import type { LiveEvent } from "@sluice/core/events";
import { fakeClock } from "@sluice/testing/clock";
import { until } from "@sluice/testing/deadline";
import { describe, expect, it } from "vitest";
import { createAudienceHub, takeFrame } from "../src/audience-hub.ts";
import { compareBusIds } from "../src/bus-id.ts";
import type { Batch } from "../src/live-bus.ts";
import { abortError, createSubscriber, frameAfter, type Tick } from "../src/subscriber.ts";
import { finishedEvent, rowInFlight } from "./arrange.ts";

function batch(seq: number, ...events: LiveEvent[]): Batch {
  return { id: `e:1-${seq}`, events };
}

function tick(from: number, to: number, fields: Partial<Tick> = {}): Tick {
  const batches = Array.from({ length: to - from }, (_, i) => batch(from + 1 + i, finishedEvent()));
  const { events } = takeFrame(batches);
  return { from: `e:1-${from}`, frame: { id: `e:1-${to}`, events, serverNowMs: 0 }, batches, weight: 1_000, ...fields };
}

describe("audience hub", () => {
  it("advances a reader's position once when nothing was for them", async () => {
    let scanned = "e:1-0";
    const hub = createAudienceHub({ kind: "user", userId: "u" }, { clock: fakeClock(), scanned: () => scanned });
    const reader = createSubscriber("u");
    hub.subscribers.add(reader);
    hub.advance();
    scanned = "e:1-9";
    hub.advance();
    hub.advance();
    expect(await reader.take(() => 0)).toMatchObject({ from: "e:1-0", frame: { id: "e:1-9", events: [] } });
    hub.accept(batch(12, finishedEvent()));
    scanned = "e:1-14";
    // One frame, and no empty one before it.
    expect(await reader.take(() => 0)).toMatchObject({ from: "e:1-9", frame: { id: "e:1-14", events: [{ type: "request.finished" }] } });
    hub.close();
  });

  it("reports how much it omitted when more happens than frames can hold", async () => {
    const hub = createAudienceHub({ kind: "admin" }, { clock: fakeClock(), scanned: () => "e:1-100" });
    const reader = createSubscriber("a");
    hub.subscribers.add(reader);
    for (let i = 1; i <= 50; i += 1) hub.accept(batch(i, ...Array.from({ length: 100 }, () => finishedEvent())));
    const first = await reader.take(() => 0);
    expect(first?.frame.gap).toBe(1_000);
    expect(first?.frame.id).toBe("e:1-12");
    const second = await reader.take(() => 0);
    expect(second?.frame).not.toHaveProperty("gap");
    expect(second?.from).toBe("e:1-12");
    hub.close();
  });

  it("keeps the newest state of a row at its first position, and all names of settings", () => {
    const { row } = finishedEvent();
    const { events } = takeFrame([
      batch(1, { type: "request.started", rev: 0, row: rowInFlight({ id: row.id }) }, { type: "settings.changed", names: ["time.zone"] }),
      batch(2, { type: "key.changed", id: "k" }, { ...finishedEvent(), row }),
      batch(
        3,
        { type: "request.progressed", rev: 4, row: rowInFlight({ id: row.id }) },
        { type: "settings.changed", names: ["ledger.mode"] },
      ),
    ]);
    expect(events.map(({ type }) => type)).toEqual(["request.finished", "settings.changed", "key.changed"]);
    expect(events[1]).toEqual({ type: "settings.changed", names: ["time.zone", "ledger.mode"] });
  });
});

describe("frame for one reader", () => {
  const build = (batches: Batch[]) => takeFrame(batches).events;

  it("is the shared one, the part after its position, or none", () => {
    const shared = tick(5, 8);
    expect(frameAfter(shared, "e:1-5", compareBusIds, build)).toBe(shared.frame);
    expect(frameAfter(shared, "e:1-3", compareBusIds, build)).toBe(shared.frame);
    expect(frameAfter(shared, "e:1-8", compareBusIds, build)).toBeNull();
    const cut = frameAfter(shared, "e:1-6", compareBusIds, build);
    expect(cut?.events).toEqual(shared.frame.events.slice(1));
    expect(cut?.id).toBe("e:1-8");
  });

  it("of another epoch counts only as the reset that leads there", () => {
    const shared = tick(5, 8);
    expect(frameAfter(shared, "f:1-2", compareBusIds, build)).toBeNull();
    const reset = { ...shared, batches: [], frame: { ...shared.frame, events: [], reset: "epoch" as const } };
    expect(frameAfter(reset, "f:1-2", compareBusIds, build)).toBe(reset.frame);
    expect(frameAfter(reset, "e:1-9", compareBusIds, build)).toBeNull();
  });
});

describe("a reader's queue", () => {
  it("disconnects a reader that read nothing for ten seconds, however little there was", async () => {
    const reader = createSubscriber("u");
    reader.push(tick(0, 1), 0);
    reader.push(tick(1, 2), 10_000);
    expect(reader.stopped).toBe(false);
    reader.push(tick(2, 3), 10_001);
    expect(reader.stopped).toBe(true);
    await expect(reader.take(() => 0)).rejects.toMatchObject({ name: "AbortError" });
  });

  it("does not disconnect one that reads slowly, and reports the gap", async () => {
    const reader = createSubscriber("u");
    let gap = 0;
    for (let at = 0; at < 60; at += 1) {
      reader.push(tick(at, at + 1), at * 1_000);
      if (at % 2 === 1) gap += (await reader.take(() => at * 1_000))?.frame.gap ?? 0;
    }
    expect(reader.stopped).toBe(false);
    expect(gap).toBeGreaterThan(0);
  });

  it("disconnects one that fell a megabyte behind, but not because of one large frame", () => {
    const reader = createSubscriber("u");
    reader.push(tick(0, 1, { weight: 2_000_000 }), 0);
    expect(reader.stopped).toBe(false);
    reader.push(tick(1, 2), 0);
    expect(reader.stopped).toBe(true);
  });

  it("does not lose a reset among what it drops", async () => {
    const reader = createSubscriber("u");
    reader.push({ ...tick(0, 0), frame: { id: "f:1-0", events: [], reset: "too_old", serverNowMs: 0 } }, 0);
    for (let at = 0; at < 20; at += 1) reader.push(tick(at, at + 1), 0);
    expect((await reader.take(() => 0))?.frame.reset).toBe("too_old");
  });

  it("wakes its reader when it ends or fails, and delivers what is queued before a failure that may wait", async () => {
    const ended = createSubscriber("u");
    const waiting = ended.take(() => 0);
    ended.end();
    expect(await waiting).toBeNull();

    const failing = createSubscriber("u");
    const thrown = expect(failing.take(() => 0)).rejects.toMatchObject({ name: "AbortError" });
    failing.failAfterQueue(abortError("later"));
    await thrown;

    const patient = createSubscriber("u");
    patient.push(tick(0, 1), 0);
    patient.failAfterQueue(abortError("later"));
    patient.push(tick(1, 2), 0);
    expect((await patient.take(() => 0))?.frame.id).toBe("e:1-1");
    await expect(patient.take(() => 0)).rejects.toMatchObject({ name: "AbortError" });
    await until(() => patient.stopped, { what: "it stopped" });
  });
});
