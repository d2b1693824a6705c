import type { LiveEvent, SessionRow } from "@sluice/core/events";
import { createStore } from "./store.ts";

/**
 * Conversations with recent activity. They come and change by events; they leave by an event or by the local clock,
 * the moment their window is over and nothing of theirs is in flight. The order is by start, so that nothing moves
 * under the pointer.
 */
export interface SessionBoardOptions {
  /** Server wall time, ms. */
  now(): number;
  /** Calls back after so many ms; returns the cancellation. */
  after(ms: number, run: () => void): () => void;
}

export interface SessionBoard {
  get(): readonly SessionRow[];
  subscribe(listener: () => void): () => void;
  /** A list read from the server. What came by event and is newer stays. */
  load(rows: readonly SessionRow[], windowSeconds: number): void;
  push(events: readonly LiveEvent[]): void;
  stop(): void;
}

export function createSessionBoard(options: SessionBoardOptions): SessionBoard {
  const rows = new Map<string, SessionRow>();
  const store = createStore<readonly SessionRow[]>([]);
  let windowMs = 0;
  let cancel: () => void = () => {};

  const over = (row: SessionRow): boolean => row.inFlight === 0 && row.lastActivityAtMs + windowMs <= options.now();

  function show(): void {
    cancel();
    if (windowMs > 0) for (const row of rows.values()) if (over(row)) rows.delete(row.id);
    store.set([...rows.values()].sort((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? 1 : -1)));
    const ends = [...rows.values()].filter(({ inFlight }) => inFlight === 0).map(({ lastActivityAtMs }) => lastActivityAtMs + windowMs);
    if (windowMs === 0 || ends.length === 0) return;
    cancel = options.after(Math.max(20, Math.min(...ends) - options.now() + 5), show);
  }

  function put(row: SessionRow): void {
    const known = rows.get(row.id);
    // A session that ended and began again is a new one with a new start; its revs begin anew.
    if (known && known.startedAtMs === row.startedAtMs && row.rev <= known.rev) return;
    if (known && row.startedAtMs < known.startedAtMs) return;
    rows.set(row.id, row);
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    load(list, windowSeconds) {
      windowMs = windowSeconds * 1_000;
      const ids = new Set(list.map(({ id }) => id));
      for (const id of [...rows.keys()]) if (!ids.has(id)) rows.delete(id);
      for (const row of list) put(row);
      show();
    },
    push(events) {
      let touched = false;
      for (const event of events) {
        if (event.type === "session.ended") touched = end(event.row) || touched;
        else if (event.type === "session.started" || event.type === "session.updated") {
          put(event.row);
          touched = true;
        }
      }
      if (touched) show();
    },
    stop: () => cancel(),
  };

  function end(row: SessionRow): boolean {
    const known = rows.get(row.id);
    return known !== undefined && known.startedAtMs <= row.startedAtMs && rows.delete(row.id);
  }
}
