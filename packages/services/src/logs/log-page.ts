import type { Page } from "@sluice/core/inputs/page";
import type { CostHistory, RequestDetail, RequestRow } from "@sluice/core/requests";

/** One page of the log, newest first: requests in flight or not yet settled, united with the ledger. */
export interface LogPage extends Page<RequestRow> {
  /** How far back the search for an unindexed filter went before it stopped for this page; null = the page is complete. */
  searchedToMs: number | null;
  /** At the end of the log, if older rows were dropped: since when rows are kept, and for how many days. null = nothing was dropped. */
  kept: { fromMs: number; days: number } | null;
  /** True while Postgres cannot be read, when the page holds only what the registry knows. */
  partial: boolean;
  /** Bus position read before the rows: a subscription from here misses nothing. */
  busId: string;
  serverNowMs: number;
}

/** One request with its details, which are null while it is in flight. */
export interface LogEntry {
  row: RequestRow;
  detail: RequestDetail | null;
  /** How its cost was corrected; null if it was not. */
  history: CostHistory | null;
}
