import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";

/** Requests that ended lately, each once: what answers about the past do not hold yet. */
export interface EndedRows {
  push(events: readonly LiveEvent[]): void;
  /** All that are known, as they are now. */
  list(): EndedRow[];
}

export interface EndedRow {
  row: RequestRow;
  /** When it ended, ms since the epoch. */
  atMs: number;
}

/** Those that ended after a moment, ms since the epoch. */
export function endedSince(rows: readonly EndedRow[], ms: number): RequestRow[] {
  return rows.filter(({ atMs }) => atMs > ms).map(({ row }) => row);
}

const MOST = 5_000;

export function createEndedRows(now: () => number): EndedRows {
  const ended = new Map<string, EndedRow>();

  function add(row: RequestRow, atMs: number): void {
    if (ended.has(row.id)) return;
    ended.set(row.id, { row, atMs });
    const [oldest] = ended.keys();
    if (ended.size > MOST && oldest !== undefined) ended.delete(oldest);
  }

  return {
    push(events) {
      for (const event of events) {
        if (event.type === "request.finished" || event.type === "request.refused")
          add(event.row, event.row.startedAtMs + (event.row.durationMs ?? 0));
        // A correction stands in the moment of its request, and is written now.
        else if (event.type === "request.corrected") add(event.correction, now());
      }
    },
    list: () => [...ended.values()],
  };
}
