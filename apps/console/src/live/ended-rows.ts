import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import type { Recent } from "@sluice/core/statistics";

/** Requests that ended lately, each once: what answers about the past may not hold yet. */
export interface EndedRows {
  /** Those among them that were not known. */
  push(events: readonly LiveEvent[]): EndedRow[];
  /** All that are known, as they are now. */
  list(): EndedRow[];
}

export interface EndedRow {
  row: RequestRow;
  /** When it ended, ms since the epoch. */
  atMs: number;
}

/** Those that an answer does not count. */
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
        // A correction stands in the moment of its request, and is written now.
        else if (event.type === "request.corrected") add(event.correction, now(), fresh);
      }
      return fresh;
    },
    list: () => [...ended.values()],
  };
}
