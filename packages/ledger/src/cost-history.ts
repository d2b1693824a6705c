import { firstIdAt, timeOfId } from "@sluice/core/ids";
import type { CorrectionCause, CostBreakdown, CostCorrection, CostHistory } from "@sluice/core/requests";
import type pg from "pg";

/** As stored: versions of the price by their ids. */
export interface StoredCostHistory extends Pick<CostHistory, "originalNanoUsd"> {
  corrections: (Omit<CostCorrection, "fromPrice" | "toPrice"> & { fromPriceId: string | null; toPriceId: string | null })[];
}

/**
 * The row $1 and its corrections in the order of their commit. They are in one millisecond, whose ids are $2 up to $3, so that
 * this is one short range of the primary key on one partition of either table.
 */
export const costHistorySql = `SELECT r.id, r.cost_nano_usd AS cost, r.price_id AS "priceId", d.detail -> 'correction' AS cause, d.detail -> 'cost' AS breakdown
  FROM requests r LEFT JOIN request_details d ON d.id = r.id AND d.id >= $2 AND d.id < $3 AND r.corrects_id IS NOT NULL
  WHERE r.id >= $2 AND r.id < $3 AND (r.id = $1 OR r.corrects_id = $1) ORDER BY r.settled_seq`;

interface HistoryRow {
  id: string;
  cost: string | null;
  priceId: string | null;
  cause: CorrectionCause | null;
  breakdown: CostBreakdown | null;
}

/** How the cost of a request came to be what it is; null when there is no such request. */
export async function readCostHistory(pool: pg.Pool, id: string): Promise<StoredCostHistory | null> {
  const ms = timeOfId(id);
  const { rows } = await pool.query<HistoryRow>(costHistorySql, [id, firstIdAt(ms), firstIdAt(ms + 1)]);
  const original = rows.find((row) => row.id === id);
  if (!original) return null;
  let { priceId } = original;
  const corrections = rows
    .filter((row) => row !== original)
    .map(({ id, cost, cause, breakdown, priceId: toPriceId }) => {
      const fromPriceId = priceId;
      priceId = toPriceId ?? priceId;
      return { id, differenceNanoUsd: cost ?? "0", fromPriceId, toPriceId: priceId, cost: breakdown, cause };
    });
  return { originalNanoUsd: original.cost, corrections };
}
