import type { BusId, LiveEvent } from "@sluice/core/events";
import { countRow, moveRange, type Overview, RECENT_MS, type Until, untilTime } from "@sluice/core/overview";
import type { RequestRow } from "@sluice/core/requests";
import { sameTimeYesterday } from "@sluice/core/time-zone";
import { covers } from "./bus-id.ts";
import { createRateMeter, type Rates } from "./rate-meter.ts";
import { createStore } from "./store.ts";

/**
 * The figures of the overview: read once, then updated by rows that start and finish, and by the clock. However many events arrive, it
 * shows their result at the pace of `schedule`. The only further requests are one read when the day is over or the stream had a gap.
 */
export interface OverviewBoardOptions {
  /** Server time in ms. */
  now(): number;
  /** Calls back after `ms`; returns the cancellation. */
  after(ms: number, run: () => void): () => void;
  /** Runs a flush soon, at the pace at which the page may change. */
  schedule(flush: () => void): void;
  /** Reads the overview again, once. */
  readAgain(): void;
}

/** What the page shows; a new object after each flush. `overview` is modified in place: never keep a part of it. */
export interface OverviewView {
  overview: Overview;
  inFlight: number;
  sessions: number;
  rates: Rates;
  /** Yesterday's figures up to this time of day. */
  then: Until;
  nowMs: number;
}

export interface OverviewBoard {
  /** null before the first read. */
  get(): OverviewView | null;
  subscribe(listener: () => void): () => void;
  /**
   * Call when a read begins: events received until it is loaded are kept, and counted if the read does not include them. Returns a
   * function that ends this.
   */
  expect(): () => void;
  load(overview: Overview): void;
  /** `at` is the position after the events, `after` the one before. */
  push(events: readonly LiveEvent[], at: BusId, after: BusId): void;
}

/** Events kept during a read; with more, the read is repeated. */
const MAX_KEPT = 20_000;
/** Ids of finished requests remembered, so that a repeated event counts once. */
const MAX_COUNTED = 5_000;
/** Browsers spread their reads of the new day over this time. */
const MIDNIGHT_SPREAD_MS = 10_000;

export function createOverviewBoard(options: OverviewBoardOptions): OverviewBoard {
  const store = createStore<OverviewView | null>(null);
  const meter = createRateMeter(options.now);
  let overview: Overview | null = null;
  let loaded: Overview | null = null;
  let inFlight = new Set<string>();
  let sessions = new Set<string>();
  let counted = new Set<string>();
  let kept: { events: readonly LiveEvent[]; at: BusId; after: BusId }[] = [];
  let keptEvents = 0;
  let readings = 0;
  let expecting = false;
  let pending = false;
  let watchers = 0;
  let cancelTick: () => void = () => {};
  let dayAsked = 0;

  function show(): void {
    pending = false;
    if (!overview) return;
    const nowMs = options.now();
    moveRange(overview, nowMs);
    // After midnight the old day stands still until the new one is read.
    const untilMs = sameTimeYesterday(Math.min(nowMs, overview.day.endMs - 1), overview.zone);
    const then = untilTime(overview.yesterday, untilMs);
    store.set({ overview, inFlight: inFlight.size, sessions: sessions.size, rates: meter.rates(), then, nowMs });
    tick();
  }

  /** While there are rates, the clock changes them every second; otherwise only the comparison, the range and the day. */
  function tick(): void {
    cancelTick();
    if (watchers === 0 || !overview) return;
    const nowMs = options.now();
    if (nowMs >= overview.day.endMs && dayAsked !== overview.day.endMs) {
      dayAsked = overview.day.endMs;
      options.after(Math.random() * MIDNIGHT_SPREAD_MS, options.readAgain);
    }
    const due = meter.isMoving()
      ? 1_000
      : Math.min(60_000, ...[overview.endMs, overview.day.endMs].map((ms) => (ms > nowMs ? ms - nowMs : 60_000)));
    cancelTick = options.after(Math.max(50, due), show);
  }

  function apply(events: readonly LiveEvent[], at: BusId, after: BusId): void {
    // A frame from before the read is already included.
    if (!overview || covers(at, overview.busId)) return;
    // A replayed frame may begin long before the read and end after it.
    const isAcross = !covers(overview.busId, after);
    for (const event of events) {
      if (event.type === "session.ended") sessions.delete(event.row.id);
      else if (event.type === "session.started" || event.type === "session.updated") sessions.add(event.row.id);
      else if (event.type === "request.finished" || event.type === "request.refused") finish(event.row, isAcross);
      else if (event.type === "request.corrected") finish(event.correction, isAcross);
      else if (event.type === "request.lost") inFlight.delete(event.row.id);
      else if ((event.type === "request.started" || event.type === "request.progressed") && !counted.has(event.row.id))
        inFlight.add(event.row.id);
    }
  }

  function finish(row: RequestRow, isAcross: boolean): void {
    const flew = inFlight.delete(row.id);
    if (counted.has(row.id) || !overview) return;
    // The read includes it; it lists only later ones.
    if (isAcross && !flew && row.correctsId === null && row.startedAtMs + (row.durationMs ?? 0) < overview.serverNowMs - RECENT_MS) return;
    counted.add(row.id);
    const [oldest] = counted;
    if (counted.size > MAX_COUNTED && oldest !== undefined) counted.delete(oldest);
    countRow(overview, row);
  }

  function load(next: Overview): void {
    if (next === loaded) return;
    loaded = next;
    // The answer belongs to the query cache; this copy is modified.
    overview = structuredClone(next);
    inFlight = new Set(next.inFlight);
    sessions = new Set(next.sessions);
    counted = new Set(next.counted);
    const heard = kept;
    const whole = keptEvents <= MAX_KEPT;
    if (readings === 0) {
      expecting = false;
      kept = [];
      keptEvents = 0;
    }
    for (const { events, at, after } of heard) apply(events, at, after);
    show();
    if (!whole) options.readAgain();
  }

  return {
    get: store.get,
    subscribe(listener) {
      const off = store.subscribe(listener);
      watchers += 1;
      // It kept counting while nobody watched.
      if (watchers === 1) show();
      return () => {
        off();
        watchers -= 1;
        if (watchers === 0) cancelTick();
      };
    },
    expect() {
      if (readings === 0) {
        kept = [];
        keptEvents = 0;
      }
      readings += 1;
      expecting = true;
      return () => {
        readings -= 1;
      };
    },
    load,
    push(events, at, after) {
      meter.push(events);
      if (expecting) {
        keptEvents += events.length;
        if (keptEvents <= MAX_KEPT) kept.push({ events, at, after });
        else kept = [];
      }
      apply(events, at, after);
      if (!overview || pending || watchers === 0) return;
      pending = true;
      options.schedule(show);
    },
  };
}
