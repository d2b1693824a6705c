import type { BusId, LiveEvent } from "@sluice/core/events";
import { countRow, moveRange, type Overview, RECENT_MS, type Until, untilTime } from "@sluice/core/overview";
import type { RequestRow } from "@sluice/core/requests";
import { sameTimeYesterday } from "@sluice/core/time-zone";
import { covers } from "./bus-id.ts";
import { createRateMeter, type Rates } from "./rate-meter.ts";
import { createStore } from "./store.ts";

/**
 * The figures of the overview: read once, then moved by the rows that start and finish, and by the clock. However many
 * events come, it shows what became of them at the pace of `schedule`. Nothing is asked of the server but one reading
 * when the day is over or the stream had a hole.
 */
export interface OverviewBoardOptions {
  /** Server wall time, ms. */
  now(): number;
  /** Calls back after so many ms; returns the cancellation. */
  after(ms: number, run: () => void): () => void;
  /** Runs a flush soon, at the pace at which the page may change. */
  schedule(flush: () => void): void;
  /** Reads the overview again, once. */
  readAgain(): void;
}

/** What the page shows; another object after each flush. `overview` is changed in place: never keep a part of it. */
export interface OverviewView {
  overview: Overview;
  inFlight: number;
  sessions: number;
  rates: Rates;
  /** Yesterday at this time of day. */
  then: Until;
  nowMs: number;
}

export interface OverviewBoard {
  /** Null until the first reading. */
  get(): OverviewView | null;
  subscribe(listener: () => void): () => void;
  /** A reading begins: what is heard until it is loaded is kept, and counted if the reading has it not. The end of the call. */
  expect(): () => void;
  load(overview: Overview): void;
  /** `at` is the position after them, `after` the one before. */
  push(events: readonly LiveEvent[], at: BusId, after: BusId): void;
}

/** Events kept while a reading is under way; with more the reading is done again. */
const MAX_KEPT = 20_000;
/** Ids of finished requests kept, so that an event that comes twice counts once. */
const MAX_COUNTED = 5_000;
/** Browsers read the new day one after the other. */
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
    // After midnight, until the new day is read, the old one stands still.
    const untilMs = sameTimeYesterday(Math.min(nowMs, overview.day.endMs - 1), overview.zone);
    const then = untilTime(overview.yesterday, untilMs);
    store.set({ overview, inFlight: inFlight.size, sessions: sessions.size, rates: meter.rates(), then, nowMs });
    tick();
  }

  /** The clock alone moves rates while there are any, else the comparison, the range and the day. */
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
    // A frame from before the reading is in it already.
    if (!overview || covers(at, overview.busId)) return;
    // One that is replayed may begin long before the reading and end after it.
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
    // The reading counts it, and names the later ones alone.
    if (isAcross && !flew && row.correctsId === null && row.startedAtMs + (row.durationMs ?? 0) < overview.serverNowMs - RECENT_MS) return;
    counted.add(row.id);
    const [oldest] = counted;
    if (counted.size > MAX_COUNTED && oldest !== undefined) counted.delete(oldest);
    countRow(overview, row);
  }

  function load(next: Overview): void {
    if (next === loaded) return;
    loaded = next;
    // What was read belongs to the cache of queries; this one is changed.
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
      // Meanwhile it counted unseen.
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
