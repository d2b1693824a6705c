import type { Page } from "@sluice/core/inputs/page";
import type { CostHistory, RequestDetail, RequestRow } from "@sluice/core/requests";

/** One page of the log, newest first: what is in flight or not yet settled, united with the ledger. */
export interface LogPage extends Page<RequestRow> {
  /** How far back an unindexed filter looked before it gave up for this page; null = the page is complete. */
  searchedToMs: number | null;
  /** At the end of the log, when older rows were dropped: since when rows are kept, and for how many days. null = this is all there ever was. */
  kept: { fromMs: number; days: number } | null;
  /** True while Postgres cannot be read: the page holds only what the registry knows. */
  partial: boolean;
  /** Bus position read before the rows: subscribing from here misses nothing. */
  busId: string;
  serverNowMs: number;
}

/** One request with its large half; null while it is in flight. */
export interface LogEntry {
  row: RequestRow;
  detail: RequestDetail | null;
  /** How its cost came to be what it is; null when nothing corrected it. */
  history: CostHistory | null;
}
