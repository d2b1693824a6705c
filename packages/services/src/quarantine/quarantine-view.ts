import type { Page } from "@sluice/core/inputs/page";
import type { QuarantineState } from "@sluice/core/inputs/quarantine";
import { epochMs } from "@sluice/db/epoch-ms";

/** A record that Postgres refused, without its content. */
export interface QuarantinedView {
  id: string;
  /** Empty for damaged bytes. */
  requestId: string;
  /** Reason of the last refusal. */
  reason: string;
  sizeBytes: number;
  atMs: number;
  state: QuarantineState;
  releasedAtMs: number | null;
  dismissedAtMs: number | null;
  /** Given by the administrator who dismissed it. */
  dismissReason: string;
}

/** With its content, to be shown as text. */
export interface QuarantinedDetail extends QuarantinedView {
  /** json: parsed and indented; text: as stored; hex: not text. */
  encoding: "json" | "text" | "hex";
  payload: string;
  /** Only the beginning is included. */
  cut: boolean;
}

export type QuarantinePage = Page<QuarantinedView>;

/** Columns of a {@link QuarantinedView}, of table alias `q`. */
export const quarantineColumns = `q.id, q.request_id AS "requestId", left(q.reason, 2000) AS reason, length(q.payload) AS "sizeBytes",
  ${epochMs("q.created_at")} AS "atMs", ${epochMs("q.released_at")} AS "releasedAtMs",
  ${epochMs("q.dismissed_at")} AS "dismissedAtMs", q.dismiss_reason AS "dismissReason",
  CASE WHEN q.released_at IS NOT NULL THEN 'released' WHEN q.dismissed_at IS NOT NULL THEN 'dismissed' ELSE 'waiting' END AS state`;
