import { percentilesOf, readSketch } from "@sluice/core/latency-sketch";
import type { AvailabilityRow } from "@sluice/core/statistics";
import { readSnapshot } from "@sluice/db/read-snapshot";
import type { Pool } from "pg";
import { sqlValues } from "../lists/list-statement.ts";
import type { BucketPlan } from "./plan-buckets.ts";
import { planSettings } from "./plan-settings.ts";
import { conditions, rollups, type SumsAsk, slotSql } from "./sums-statement.ts";

/** Limit on the figures in an answer: with a large gateway's figures it stays below 50 KB. Names and sums of a row are as long as 30 figures. */
const MOST_FIGURES = 4_000;
const ROW_FIGURES = 30;
const BUCKET_FIGURES = 3;

/** Number of rows that fit an answer with so many buckets. */
function mostRows(buckets: number): number {
  return Math.max(1, Math.floor(MOST_FIGURES / (ROW_FIGURES + BUCKET_FIGURES * buckets)));
}

/** Number of buckets with which so many rows fit an answer; may be less than one. */
export function mostBuckets(rows: number): number {
  return Math.floor((MOST_FIGURES / rows - ROW_FIGURES) / BUCKET_FIGURES);
}

interface AvailabilityAsk {
  tenantId: string;
  plan: BucketPlan;
  providerId: string | undefined;
  model: string | undefined;
}

interface Row {
  total: number;
  providerId: string | null;
  model: string | null;
  requests: number;
  errors: number;
  aborted: number;
  ttft: string;
  duration: string;
  slots: [slot: number, requests: number, errors: number, aborted: number][];
}

/** Providers and their models, ordered by requests: as many rows as fit an answer, and the total number. One statement. */
export async function readAvailability(
  pool: Pool,
  { tenantId, plan, providerId, model }: AvailabilityAsk,
): Promise<{ rows: AvailabilityRow[]; total: number }> {
  const values = sqlValues();
  const ask: SumsAsk = { tenantId, userId: null, filter: { providerId, model }, keyIds: null, ownerIds: null };
  const where = `${conditions(values, ask)} AND provider_id <> ''`;
  const from = rollups(values, plan.buckets, { tenantId, id: "provider_id", where, more: ", model, ttft_sketch, duration_sketch" });
  const times = plan.times.map((ms) => new Date(ms));
  const text = `WITH slots AS (SELECT id, model, ${slotSql(values, times)} AS slot, sum(requests) AS requests, sum(errors) AS errors,
      sum(aborted) AS aborted, sum(ttft_sketch) AS ttft, sum(duration_sketch) AS duration FROM ${from} GROUP BY 1, 2, 3),
    of_pairs AS (SELECT id, model, slot, sum(requests) AS requests, sum(errors) AS errors, sum(aborted) AS aborted, sum(ttft) AS ttft,
      sum(duration) AS duration FROM slots GROUP BY GROUPING SETS ((id, slot), (id, model, slot))),
    each AS (SELECT id, model, sum(requests) AS requests, sum(errors) AS errors, sum(aborted) AS aborted, sum(ttft) AS ttft, sum(duration) AS duration,
      json_agg(json_build_array(slot, requests, errors, aborted)) AS slots FROM of_pairs GROUP BY 1, 2 HAVING sum(requests) > 0)
    SELECT count(*) OVER ()::int AS total, id AS "providerId", model, requests::float8, errors::float8, aborted::float8, ttft::text, duration::text, slots
    FROM each ORDER BY max(requests) FILTER (WHERE model IS NULL) OVER (PARTITION BY id) DESC, id, model IS NOT NULL, each.requests DESC, model
    LIMIT ${values.add(mostRows(plan.times.length))}`;
  const { rows } = await readSnapshot(pool, planSettings, (client) => client.query<Row>(text, values.list));
  return { rows: rows.map((row) => toRow(row, plan.times.length)), total: rows[0]?.total ?? 0 };
}

function toRow({ total: _, providerId, ttft, duration, slots, ...row }: Row, buckets: number): AvailabilityRow {
  const zeros = (): number[] => new Array<number>(buckets).fill(0);
  const series = { requests: zeros(), errors: zeros(), aborted: zeros() };
  for (const [slot, requests, errors, aborted] of slots) {
    series.requests[slot] = requests;
    series.errors[slot] = errors;
    series.aborted[slot] = aborted;
  }
  const of = (sketch: string) => percentilesOf(readSketch(sketch));
  return { providerId: providerId ?? "", ...row, ttft: of(ttft), duration: of(duration), series };
}
