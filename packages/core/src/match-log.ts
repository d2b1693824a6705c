import type { LogFilter } from "./inputs/log.ts";
import type { RequestRow } from "./requests.ts";
import { statusClassOf } from "./status-class.ts";

/** Filter fields that compare a row's field of the same name, and their negations. */
const fields = [
  ["userId", "notUserId"],
  ["keyId", "notKeyId"],
  ["providerId", "notProviderId"],
  ["model", "notModel"],
  ["sessionId", "notSessionId"],
  ["group", "notGroup"],
  ["dialect", "notDialect"],
  ["state", "notState"],
] as const;

/** Whether a row passes the filter, by the same rules as the ledger's SQL, for rows that are not in Postgres yet. */
export function matchesLog(row: RequestRow, filter: LogFilter): boolean {
  for (const [field, not] of fields) {
    const wanted = filter[field];
    if (wanted !== undefined && wanted !== row[field]) return false;
    const unwanted: readonly string[] | undefined = filter[not];
    if (unwanted?.includes(row[field])) return false;
  }
  if (filter.requestId !== undefined && filter.requestId !== row.id) return false;
  if (filter.minAttempts !== undefined && row.attempts < filter.minAttempts) return false;
  if (filter.fromMs !== undefined && row.startedAtMs < filter.fromMs) return false;
  if (filter.toMs !== undefined && row.startedAtMs >= filter.toMs) return false;
  return matchesStatus(row, filter);
}

/** A request that has not ended has no class yet: it matches no requested class and is excluded by none. */
function matchesStatus(row: RequestRow, { statusClass, notStatusClass }: LogFilter): boolean {
  if (statusClass === undefined && notStatusClass === undefined) return true;
  if (row.state === "in_flight" || row.state === "lost") return statusClass === undefined;
  const is = statusClassOf(row);
  return (statusClass === undefined || statusClass === is) && !notStatusClass?.includes(is);
}
