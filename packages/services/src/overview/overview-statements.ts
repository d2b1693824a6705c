import { FIVE_MINUTES_MS, TOP } from "@sluice/core/overview";
import type { OverviewSplit } from "@sluice/core/overview-range";

/**
 * The statements of the overview. Each reads rollups by the beginning of their key, (tenant, bucket): the buckets wanted
 * are listed, so that a day of any zone is put together of days, hours and five minutes, and no row is read in vain.
 */
export interface BucketList {
  fiveMinutes: Date[];
  hours: Date[];
  days: Date[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * The fewest buckets that are exactly [fromMs, toMs); both whole five minutes. Before `fineFromMs` sums are kept by the hour:
 * there a day of a zone that is half an hour off ends with the whole hour, and the next one begins after it.
 */
export function bucketsOf(startMs: number, endMs: number, fineFromMs = 0): BucketList {
  const [fromMs, toMs] = [wholeHour(startMs, fineFromMs), wholeHour(endMs, fineFromMs)];
  const hours = inner(fromMs, toMs, HOUR_MS);
  const days = inner(hours.from, hours.to, DAY_MS);
  return {
    fiveMinutes: [...steps(fromMs, hours.from, FIVE_MINUTES_MS), ...steps(hours.to, toMs, FIVE_MINUTES_MS)],
    hours: [...steps(hours.from, days.from, HOUR_MS), ...steps(days.to, hours.to, HOUR_MS)],
    days: steps(days.from, days.to, DAY_MS),
  };
}

function wholeHour(ms: number, fineFromMs: number): number {
  return ms < fineFromMs ? Math.ceil(ms / HOUR_MS) * HOUR_MS : ms;
}

/** The whole steps inside a range; empty at its end when there are none. */
function inner(fromMs: number, toMs: number, stepMs: number): { from: number; to: number } {
  const from = Math.ceil(fromMs / stepMs) * stepMs;
  const to = Math.floor(toMs / stepMs) * stepMs;
  return from < to ? { from, to } : { from: toMs, to: toMs };
}

/** Starts of equal steps. */
export function steps(fromMs: number, toMs: number, stepMs: number): Date[] {
  const count = Math.max(0, Math.ceil((toMs - fromMs) / stepMs));
  return Array.from({ length: count }, (_, at) => new Date(fromMs + at * stepMs));
}

/** Several lists as one. */
export function joinBuckets(lists: readonly BucketList[]): BucketList {
  return {
    fiveMinutes: lists.flatMap(({ fiveMinutes }) => fiveMinutes),
    hours: lists.flatMap(({ hours }) => hours),
    days: lists.flatMap(({ days }) => days),
  };
}

export const columnOf: Record<OverviewSplit, string> = { model: "model", provider: "provider_id", user: "user_id", key: "key_id" };

const sums = `sum(requests)::float8 AS requests, coalesce(sum(requests) FILTER (WHERE status_class IN ('4xx', '5xx')), 0)::float8 AS errors,
  sum(input_tokens)::float8 AS input, sum(output_tokens)::float8 AS output,
  sum(cache_write_5m_tokens + cache_write_1h_tokens)::float8 AS "cacheWrite", sum(cache_read_tokens)::float8 AS "cacheRead",
  sum(cost_nano_usd)::text AS "costNanoUsd", sum(ttft_count)::float8 AS "ttftCount", sum(ttft_ms_sum)::float8 AS "ttftMsSum",
  sum(duration_ms_sum)::float8 AS "durationMsSum"`;

/** $1 tenant, $2 five minutes, $3 hours, $4 days, $5 user (of an own scope only). */
function source(own: boolean): string {
  const part = (table: string, parameter: string): string =>
    `SELECT bucket, user_id, key_id, provider_id, model, status_class, requests, input_tokens, output_tokens, cache_write_5m_tokens,
      cache_write_1h_tokens, cache_read_tokens, cost_nano_usd, ttft_count, ttft_ms_sum, duration_ms_sum
    FROM ${table} WHERE tenant_id = $1 AND bucket = ANY(${parameter}::timestamptz[])${own ? " AND user_id = $5" : ""}`;
  return `(${part("rollups_5m", "$2")} UNION ALL ${part("rollups_hour", "$3")} UNION ALL ${part("rollups_day", "$4")}) AS wanted`;
}

/** The parameter after those of {@link source}. */
function next(own: boolean): string {
  return own ? "$6" : "$5";
}

/** By slot: the index of the last of the ascending times given that begins at or before the bucket. */
export function slotsSql(own: boolean): string {
  return `SELECT width_bucket(bucket, ${next(own)}::timestamptz[]) - 1 AS slot, ${sums} FROM ${source(own)} GROUP BY 1`;
}

/** As {@link slotsSql}, by one dimension: the ids given after the times apart, all others as null. */
export function seriesSql(own: boolean, by: OverviewSplit): string {
  const ids = own ? "$7" : "$6";
  const id = `CASE WHEN ${columnOf[by]} = ANY(${ids}::text[]) THEN ${columnOf[by]} END`;
  return `SELECT width_bucket(bucket, ${next(own)}::timestamptz[]) - 1 AS slot, ${id} AS id, ${sums} FROM ${source(own)} GROUP BY 1, 2`;
}

/** The first of each dimension by cost, in one reading of the rows. */
export function topSql(own: boolean, splits: readonly OverviewSplit[]): string {
  const columns = splits.map((split) => columnOf[split]);
  const kind = splits.map((split) => `WHEN GROUPING(${columnOf[split]}) = 0 THEN '${split}'`).join(" ");
  return `SELECT kind, id, requests, errors, input, output, "cacheWrite", "cacheRead", "costNanoUsd" FROM (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY "costNanoUsd"::numeric DESC, requests DESC, id) AS rank FROM (
      SELECT CASE ${kind} END AS kind, coalesce(${columns.join(", ")}) AS id, ${sums}
      FROM ${source(own)} GROUP BY GROUPING SETS (${columns.map((column) => `(${column})`).join(", ")})) AS grouped
    WHERE id <> '') AS ranked WHERE rank <= ${TOP} ORDER BY kind, rank`;
}

/** Active sessions of the user $2 ('' = of everybody) at the beginning of the five minutes from $3 to $4. $1 tenant. */
export const samplesSql = `SELECT bucket, coalesce(max(active) FILTER (WHERE user_id = $2), 0)::int AS active
  FROM session_samples WHERE tenant_id = $1 AND user_id IN ('', $2) AND bucket BETWEEN $3 AND $4 GROUP BY bucket`;

/** Rows settled last, read by index: far more than settle while a page is read. */
const RECENT = 2_000;

/**
 * Which of the requests $1 are settled, which of the last ones ended after $2, and an '' when there is any at all. $3
 * tenant, $4 user (of an own scope only).
 */
export function settledSql(own: boolean): string {
  const scope = `tenant_id = $3${own ? " AND user_id = $4" : ""}`;
  return `SELECT id::text FROM requests WHERE id = ANY($1::uuid[])
    UNION SELECT id::text FROM requests WHERE settled_seq > (SELECT last_value - ${RECENT} FROM requests_settled_seq)
      AND started_at + duration_ms * interval '1 ms' >= $2 AND ${scope}
    UNION ALL SELECT '' WHERE EXISTS (SELECT FROM ${own ? "requests" : "rollups_day"} WHERE ${scope})`;
}
