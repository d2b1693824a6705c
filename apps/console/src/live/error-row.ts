import type { RequestRow } from "@sluice/core/requests";

/** Whether a row counts as an error in the pill and in the page title. */
export function isErrorRow(row: RequestRow): boolean {
  return row.state === "error" || row.state === "refused";
}
