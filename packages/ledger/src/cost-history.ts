import { firstIdAt, timeOfId } from "@sluice/core/ids";
import type { CorrectionCause, CostBreakdown, CostCorrection, CostHistory } from "@sluice/core/requests";
import type pg from "pg";

/** As stored: price versions are given by their ids. */
export interface StoredCostHistory extends Pick<CostHistory, "originalNanoUsd"> {
  corrections: (Omit<CostCorrection, "fromPrice" | "toPrice"> & { fromPriceId: string | null; toPriceId: string | null })[];
}

/**
 * The row $1 and its corrections in commit order. They share one millisecond, whose ids run from $2 up to $3 (exclusive), so
 * this reads one short range of the primary key in one partition of each table.
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

/** How the cost of a request came about; null when the request does not exist. */
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
