import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import type { Recent } from "@sluice/core/statistics";

/** Recently ended requests, each once, which answers about the past may not include yet. */
export interface EndedRows {
  /** Adds ended requests; returns the ones not known before. */
  push(events: readonly LiveEvent[]): EndedRow[];
  /** All known ones, in their latest state. */
  list(): EndedRow[];
}

export interface EndedRow {
  row: RequestRow;
  /** When it ended, in ms since the epoch. */
  atMs: number;
}

/** The ones that an answer does not include. */
export function uncounted(rows: readonly EndedRow[], { fromMs, ids }: Recent): RequestRow[] {
  const counted = new Set(ids);
  return rows.filter(({ atMs, row }) => atMs >= fromMs && !counted.has(row.id)).map(({ row }) => row);
}

const MOST = 5_000;

export function createEndedRows(now: () => number): EndedRows {
  const ended = new Map<string, EndedRow>();

  function add(row: RequestRow, atMs: number, fresh: EndedRow[]): void {
    if (ended.has(row.id)) return;
    const one = { row, atMs };
    ended.set(row.id, one);
    fresh.push(one);
    const [oldest] = ended.keys();
    if (ended.size > MOST && oldest !== undefined) ended.delete(oldest);
  }

  return {
    push(events) {
      const fresh: EndedRow[] = [];
      for (const event of events) {
        if (event.type === "request.finished" || event.type === "request.refused")
          add(event.row, event.row.startedAtMs + (event.row.durationMs ?? 0), fresh);
        // A correction carries the time of its request, but is written now.
        else if (event.type === "request.corrected") add(event.correction, now(), fresh);
      }
      return fresh;
    },
    list: () => [...ended.values()],
  };
}
