import type { Clock } from "@sluice/core/clock";
import type { Audience, BusId, LiveEvent, LiveFrame } from "@sluice/core/events";
import { compareBusIds } from "./bus-id.ts";
import { isAside, keyOf, laterOf, weightOf } from "./conflation.ts";
import type { Batch, ResetReason } from "./live-bus.ts";
import { createSampling } from "./sampling.ts";
import type { Subscriber, Tick } from "./subscriber.ts";

export const FRAME_MS = 100;
/** Rows per frame; further ones wait for the next frame, where they conflate. */
export const MAX_FRAME_EVENTS = 200;
/** For a busy audience, this many events outside the sample take the space of one that is shown. */
const ASIDE_PER_SHOWN = 10;
/** Beyond this an audience cannot catch up: the oldest events are dropped, and the next frame says how many. */
const MAX_WAITING_EVENTS = 4_000;
/** Beyond this frames do not keep up, so fewer rows are shown. */
const MAX_BEHIND_EVENTS = 1_000;
/** Recently sent frames are kept this long for viewers who reconnect, up to about this many bytes. */
const HISTORY_MS = 30_000;
const MAX_HISTORY_WEIGHT = 4_000_000;

/** One audience with viewers: turns its batches into frames, each built once for all subscribers. */
export interface AudienceHub {
  readonly audience: Audience;
  readonly subscribers: Set<Subscriber>;
  /** Takes events that this audience may see, already shaped for it. */
  accept(batch: Batch): void;
  /** Applies the current sample to the events of a replay. */
  sampled(events: readonly LiveEvent[]): readonly LiveEvent[];
  /** The bus is followed from this position. */
  started(position: BusId): void;
  reset(reason: ResetReason, position: BusId): void;
  /** Sends an empty frame if the position moved since the last one; drops old history. Call it periodically. */
  advance(): void;
  /**
   * What was sent after a position, if all of it is still here: a viewer who lost the connection for a moment gets the same
   * frames as the others. Null: ask the bus.
   */
  since(after: BusId): readonly Tick[] | null;
  close(): void;
}

export interface HubOptions {
  clock: Clock;
  /** The last id examined for any audience; '' before the bus is followed. */
  scanned: () => BusId;
}

/** Creates the hub. No timer runs while nothing waits. */
export function createAudienceHub(audience: Audience, { clock, scanned }: HubOptions): AudienceHub {
  const subscribers = new Set<Subscriber>();
  let waiting: Batch[] = [];
  let waitingEvents = 0;
  let dropped = 0;
  /** Id of the last frame, where the next one begins. */
  let emitted = scanned();
  let lastTickMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let history: Tick[] = [];
  let historyWeight = 0;
  const sampling = createSampling(clock);

  function accept(whole: Batch): void {
    const batch = { id: whole.id, events: sampling.take(whole.events) };
    waiting.push(batch);
    waitingEvents += batch.events.length;
    while (waitingEvents > MAX_WAITING_EVENTS && waiting.length > 1) {
      const oldest = waiting.shift()?.events.length ?? 0;
      waitingEvents -= oldest;
      dropped += oldest;
    }
    timer ??= setTimeout(tick, Math.max(0, lastTickMs + FRAME_MS - clock.monotonic()));
  }

  function tick(): void {
    timer = null;
    lastTickMs = clock.monotonic();
    const built = takeFrame(waiting);
    waiting = waiting.slice(built.batches.length);
    waitingEvents -= built.batches.reduce((sum, batch) => sum + batch.events.length, 0);
    const id = waiting.length > 0 ? (built.batches.at(-1)?.id ?? emitted) : scanned();
    const frame: LiveFrame = { id, events: built.events, serverNowMs: clock.now() };
    if (dropped > 0) frame.gap = dropped;
    if (sampling.current() > 1) frame.sample = sampling.current();
    dropped = 0;
    push({ from: emitted, frame, batches: built.batches });
    if (waitingEvents > MAX_BEHIND_EVENTS) sampling.thin();
    if (waiting.length > 0) timer ??= setTimeout(tick, FRAME_MS);
  }

  function push(tick: Omit<Tick, "weight">): void {
    emitted = tick.frame.id;
    const weighed: Tick = { ...tick, weight: tick.frame.events.reduce((sum, event) => sum + weightOf(event), 100) };
    keep(weighed);
    const nowMs = clock.monotonic();
    for (const subscriber of subscribers) subscriber.push(weighed, nowMs);
  }

  function keep(tick: Tick): void {
    history.push(tick);
    historyWeight += tick.weight;
    const oldestMs = history[0]?.frame.serverNowMs ?? 0;
    if (historyWeight > MAX_HISTORY_WEIGHT * 1.1 || oldestMs < tick.frame.serverNowMs - HISTORY_MS * 1.1) trim();
  }

  function trim(): void {
    const sinceMs = clock.now() - HISTORY_MS;
    let cut = 0;
    for (let tick = history[0]; tick && (historyWeight > MAX_HISTORY_WEIGHT || tick.frame.serverNowMs < sinceMs); tick = history[cut]) {
      historyWeight -= tick.weight;
      cut += 1;
    }
    history = history.slice(cut);
  }

  function forget(): void {
    history = [];
    historyWeight = 0;
  }

  function clear(): void {
    forget();
    if (timer) clearTimeout(timer);
    timer = null;
    waiting = [];
    waitingEvents = 0;
    dropped = 0;
  }

  return {
    audience,
    subscribers,
    accept,
    sampled: sampling.mark,
    started(position) {
      if (emitted === "") emitted = position;
    },
    reset(reason, position) {
      clear();
      push({ from: emitted, frame: { id: position, events: [], reset: reason, serverNowMs: clock.now() }, batches: [] });
      // Earlier frames do not lead to this position.
      forget();
    },
    advance() {
      trim();
      if (waiting.length > 0 || emitted === scanned()) return;
      push({ from: emitted, frame: { id: scanned(), events: [], serverNowMs: clock.now() }, batches: [] });
    },
    since(after) {
      // Within one epoch ids compare as numbers; ids of different epochs give NaN.
      if (!(compareBusIds(after, history[0]?.from ?? emitted) >= 0 && compareBusIds(after, emitted) <= 0)) return null;
      let at = history.length;
      while (at > 0 && compareBusIds(history[at - 1]?.frame.id ?? "", after) > 0) at -= 1;
      return history.slice(at);
    },
    close: clear,
  };
}

/** The leading batches that fit one frame as a whole, and their conflated events in order of first appearance. */
export function takeFrame(from: readonly Batch[]): { batches: Batch[]; events: LiveEvent[] } {
  const latest = new Map<string, LiveEvent>();
  const batches: Batch[] = [];
  let room = MAX_FRAME_EVENTS;
  for (const batch of from) {
    const fresh = new Map<string, LiveEvent>();
    for (const event of batch.events) if (!latest.has(keyOf(event))) fresh.set(keyOf(event), event);
    for (const event of fresh.values()) room -= isAside(event) ? 1 / ASIDE_PER_SHOWN : 1;
    if (batches.length > 0 && room < 0) break;
    for (const event of batch.events) {
      const held = latest.get(keyOf(event));
      latest.set(keyOf(event), held ? laterOf(held, event) : event);
    }
    batches.push(batch);
  }
  return { batches, events: [...latest.values()] };
}
