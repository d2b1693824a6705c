import type { LogFilter } from "@sluice/core/inputs/log";
import type { RequestRow } from "@sluice/core/requests";

const exact = ["userId", "keyId", "providerId", "model", "sessionId", "dialect", "state"] as const;

/** Whether a row that Postgres does not have yet belongs to a filtered page: the same rules as the page's SQL. */
export function matchesFilter(row: RequestRow, filter: LogFilter): boolean {
  for (const field of exact) if (filter[field] !== undefined && row[field] !== filter[field]) return false;
  if (filter.requestId !== undefined && row.id !== filter.requestId) return false;
  if (filter.fromMs !== undefined && row.startedAtMs < filter.fromMs) return false;
  if (filter.toMs !== undefined && row.startedAtMs >= filter.toMs) return false;
  return filter.statusClass === undefined || Math.floor(row.status / 100) === Number(filter.statusClass[0]);
}
