import type { BusId, LiveEvent, SessionRow } from "@sluice/core/events";
import { covers } from "./bus-id.ts";
import { createStore } from "./store.ts";

/**
 * Conversations with recent activity. They appear and change by events; they end by an event or by the local clock, as soon as their
 * window is over and none of their requests is in flight. Ended ones stay for a while, so that the eye can follow. Sorted by start, so
 * that nothing moves under the pointer.
 */
export interface SessionBoardOptions {
  /** Server time in ms. */
  now(): number;
  /** Calls back after `ms`; returns the cancellation. */
  after(ms: number, run: () => void): () => void;
}

export interface BoardRow {
  row: SessionRow;
  /** Server time in ms at which it was seen to end; null = active. */
  endedAtMs: number | null;
}

export interface SessionBoard {
  get(): readonly BoardRow[];
  subscribe(listener: () => void): () => void;
  /** Loads a list read from the server at a position of the bus. Newer states received by events stay. */
  load(rows: readonly SessionRow[], windowSeconds: number, busId: BusId): void;
  /** `at` is the position after the events. */
  push(events: readonly LiveEvent[], at: BusId): void;
  stop(): void;
}

/** How long an ended session stays visible. */
export const SHOWN_AFTER_END_MS = 10_000;

export function createSessionBoard(options: SessionBoardOptions): SessionBoard {
  const rows = new Map<string, BoardRow>();
  /** Bus position of the last event about each session. */
  const heardAt = new Map<string, BusId>();
  const store = createStore<readonly BoardRow[]>([]);
  let windowMs = 0;
  let cancel: () => void = () => {};

  const endOf = ({ row, endedAtMs }: BoardRow): number => {
    if (endedAtMs !== null) return endedAtMs + SHOWN_AFTER_END_MS;
    return windowMs > 0 && row.inFlight === 0 ? row.lastActivityAtMs + windowMs : Number.POSITIVE_INFINITY;
  };

  function show(): void {
    cancel();
    cancel = () => {};
    const now = options.now();
    for (const [id, held] of rows) {
      if (endOf(held) > now) continue;
      if (held.endedAtMs !== null) {
        rows.delete(id);
        heardAt.delete(id);
      } else rows.set(id, { row: held.row, endedAtMs: now });
    }
    store.set([...rows.values()].sort((a, b) => b.row.startedAtMs - a.row.startedAtMs || (a.row.id < b.row.id ? 1 : -1)));
    const next = Math.min(...[...rows.values()].map(endOf));
    if (next < Number.POSITIVE_INFINITY) cancel = options.after(Math.max(20, next - now + 5), show);
  }

  function put(row: SessionRow, at: BusId): void {
    const known = rows.get(row.id);
    // A session that ended and began again is a new one with a new start, and its revs restart.
    if (known && known.row.startedAtMs === row.startedAtMs && row.rev <= known.row.rev) return;
    if (known && row.startedAtMs < known.row.startedAtMs) return;
    rows.set(row.id, { row, endedAtMs: null });
    heardAt.set(row.id, at);
  }

  function end(row: SessionRow): boolean {
    const known = rows.get(row.id);
    if (!known || known.endedAtMs !== null || known.row.startedAtMs > row.startedAtMs) return false;
    rows.set(row.id, { row: { ...row, inFlight: 0 }, endedAtMs: options.now() });
    return true;
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    load(list, windowSeconds, busId) {
      windowMs = windowSeconds * 1_000;
      const ids = new Set(list.map(({ id }) => id));
      // A session heard of after the list was read may have begun since.
      const isLater = (at: BusId): boolean => at !== busId && covers(busId, at);
      for (const { row } of [...rows.values()]) if (!ids.has(row.id) && !isLater(heardAt.get(row.id) ?? "")) end(row);
      for (const row of list) put(row, busId);
      show();
    },
    push(events, at) {
      let touched = false;
      for (const event of events) {
        if (event.type === "session.ended") touched = end(event.row) || touched;
        else if (event.type === "session.started" || event.type === "session.updated") {
          put(event.row, at);
          touched = true;
        }
      }
      if (touched) show();
    },
    stop: () => cancel(),
  };
}
