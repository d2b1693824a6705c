import type { RequestRow, StatusClass } from "./requests.ts";

/**
 * The class under which a request counts. A request that failed after its head was sent (a broken stream) has a 2xx status
 * but is still a failure: it counts as 5xx. The ledger's settle statement derives the same in SQL.
 */
export function statusClassOf(row: Pick<RequestRow, "state" | "status">): StatusClass {
  if (row.state === "aborted" || row.state === "refused") return row.state;
  if (row.status >= 500 || (row.state === "error" && row.status < 400)) return "5xx";
  if (row.status >= 400) return "4xx";
  return row.status >= 300 ? "3xx" : "2xx";
}
