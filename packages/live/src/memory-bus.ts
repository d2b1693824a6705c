import { type Clock, systemClock } from "@sluice/core/clock";
import type { BusId, LiveEvent } from "@sluice/core/events";
import { rowJson } from "@sluice/core/row-json";
import { compareBusIds, newEpoch, parseBusId } from "./bus-id.ts";
import { BATCH_MS, type Batch, type BusListener, type LiveBus, MAX_BATCH_EVENTS, MAX_REPLAY_EVENTS, type Replay } from "./live-bus.ts";

/** A viewer who has not listened or asked for the position for this long does not resume: their page reads again. */
const REMEMBERED_MS = 600_000;

/**
 * The bus of a single process: a ring of batches. Same contract as redis-bus.ts, except that its history ends with the
 * process; a new process has a different epoch, so viewers of the old one are reset. It keeps history only while someone may
 * ask for it: twenty thousand events kept for nobody would be most of what each young-generation collection copies.
 */
export function createMemoryBus(options: { clock?: Clock; capacity?: number } = {}): LiveBus {
  const { clock = systemClock, capacity = 5_000 } = options;
  const epoch = newEpoch();
  const listeners = new Set<BusListener>();
  const hooks: Parameters<LiveBus["beforeSend"]>[0][] = [];
  let ring: Batch[] = [];
  /** Events in the ring. A replay of more is refused, so more need not be kept. */
  let held = 0;
  /** The id before the ring's first entry: from here on the ring is complete. */
  let floor: BusId = `${epoch}:0-0`;
  let last = { ms: 0, seq: 0 };
  let queue: LiveEvent[] = [];
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let rememberedUntilMs = Number.NEGATIVE_INFINITY;

  function remember(): void {
    rememberedUntilMs = clock.monotonic() + REMEMBERED_MS;
  }

  const position = (): BusId => `${epoch}:${last.ms}-${last.seq}`;

  function append(events: LiveEvent[]): void {
    const ms = clock.now();
    last = ms > last.ms ? { ms, seq: 0 } : { ms: last.ms, seq: last.seq + 1 };
    const batch: Batch = { id: position(), events };
    if (listeners.size > 0 || clock.monotonic() < rememberedUntilMs) {
      ring.push(batch);
      held += events.length;
      if (ring.length > capacity * 1.1 || held > MAX_REPLAY_EVENTS * 1.1) trim();
    } else forget(batch.id);
    for (const listener of listeners) listener.batch(batch);
  }

  function trim(): void {
    let cut = 0;
    for (; ring.length - cut > capacity || held > MAX_REPLAY_EVENTS; cut++) held -= ring[cut]?.events.length ?? 0;
    floor = ring[cut - 1]?.id ?? floor;
    ring = ring.slice(cut);
  }

  function forget(upTo: BusId): void {
    ring = [];
    held = 0;
    floor = upTo;
  }

  function send(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    const events = queue;
    queue = [];
    if (events.length > 0) for (const hook of hooks) hook(rowJson);
    for (let at = 0; at < events.length; at += MAX_BATCH_EVENTS) append(events.slice(at, at + MAX_BATCH_EVENTS));
  }

  function replay(after: BusId): Replay {
    if (parseBusId(after)?.epoch !== epoch) return { reset: "epoch", position: position() };
    if (compareBusIds(after, position()) > 0) return { reset: "ahead", position: position() };
    if (after === position()) return { batches: [], position: position() };
    const at = after === floor ? -1 : ring.findLastIndex((batch) => batch.id === after);
    const batches = ring.slice(at + 1);
    const tooMany = batches.reduce((sum, batch) => sum + batch.events.length, 0) > MAX_REPLAY_EVENTS;
    if ((at < 0 && after !== floor) || tooMany) return { reset: "too_old", position: position() };
    return { batches, position: position() };
  }

  return {
    publish(event) {
      if (closed) return;
      queue.push(event);
      timer ??= setTimeout(send, BATCH_MS);
    },
    async flush() {
      send();
    },
    async position() {
      remember();
      return position();
    },
    listen(listener) {
      listeners.add(listener);
      listener.started(position());
      return () => {
        listeners.delete(listener);
        remember();
      };
    },
    async replay(after) {
      remember();
      return replay(after);
    },
    beforeSend(hook) {
      hooks.push(hook);
    },
    async close() {
      closed = true;
      send();
      listeners.clear();
    },
  };
}
