import type { LogFilter } from "@sluice/core/inputs/log";
import type { RequestRow } from "@sluice/core/requests";

/** Whether a row passes the filter: the same rules as the server's, so that live rows and pages agree. */
export function matchesLog(row: RequestRow, filter: LogFilter): boolean {
  return (
    same(filter.userId, row.userId) &&
    same(filter.keyId, row.keyId) &&
    same(filter.providerId, row.providerId) &&
    same(filter.model, row.model) &&
    same(filter.sessionId, row.sessionId) &&
    same(filter.dialect, row.dialect) &&
    same(filter.state, row.state) &&
    same(filter.requestId, row.id) &&
    (filter.statusClass === undefined || `${Math.floor(row.status / 100)}xx` === filter.statusClass) &&
    (filter.fromMs === undefined || row.startedAtMs >= filter.fromMs) &&
    (filter.toMs === undefined || row.startedAtMs < filter.toMs)
  );
}

function same<T>(wanted: T | undefined, value: T): boolean {
  return wanted === undefined || wanted === value;
}

/** Whether a row counts as an error in the pill and in the title. */
export function isErrorRow(row: RequestRow): boolean {
  return row.state === "error" || row.state === "refused";
}
