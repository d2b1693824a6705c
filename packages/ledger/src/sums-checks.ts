import { firstIdAt } from "@sluice/core/ids";
import { sketchBounds } from "@sluice/core/latency-sketch";
import { HOUR_MS } from "@sluice/core/time-zone";
import { type BookCheck, differing, keyOfDay, LISTED, rankedBy, type Span, type SumsRow, tokens } from "./book-check.ts";
import { isUuid } from "./recent-columns.ts";
import { oneDimension, rollupTables, statusClassSql } from "./settle-statement.ts";

const original = "corrects_id IS NULL";

/** What a rollup keeps, and what it must be according to its rows. */
const measures: Record<string, string> = {
  requests: `count(*) FILTER (WHERE ${original})`,
  billable_requests: `count(*) FILTER (WHERE billable AND ${original})`,
  ...Object.fromEntries([...tokens, "cost_nano_usd", "upstream_cost_nano_usd"].map((name) => [name, `coalesce(sum(${name}), 0)`])),
  ttft_count: `sum(CASE WHEN ${original} AND ttft_ms IS NOT NULL THEN 1 ELSE 0 END)`,
  ttft_ms_sum: `sum(CASE WHEN ${original} THEN coalesce(ttft_ms, 0) ELSE 0 END)`,
  duration_ms_sum: `sum(CASE WHEN ${original} THEN duration_ms ELSE 0 END)`,
  ttft_sketch: sketchSum("ttft_ms"),
  duration_sketch: sketchSum("duration_ms"),
};

/** What a sketch must be: for each row, ten to the power of its bucket's position. */
function sketchSum(column: string): string {
  const bucket = `width_bucket(${column}, '{${sketchBounds.join(",")}}'::int[])`;
  return `coalesce(sum(CASE WHEN ${original} AND ${column} IS NOT NULL THEN ('1e' || 10 * ${bucket})::numeric END), 0)`;
}

/** What is kept per key and day. */
const keyDaySums = {
  ...rankedBy({
    count: (condition) => `count(*) FILTER (WHERE ${original} AND ${condition})`,
    ttftCount: `count(ttft_ms) FILTER (WHERE ${original})`,
    ttftMsSum: `coalesce(sum(ttft_ms) FILTER (WHERE ${original}), 0)`,
  }),
  aborted_requests: `count(*) FILTER (WHERE ${original} AND status_class = 'aborted')`,
  cache_write_tokens: "sum(cache_write_5m_tokens + cache_write_1h_tokens)",
  duration_ms_sum: `coalesce(sum(duration_ms) FILTER (WHERE ${original}), 0)`,
  measured_requests: `count(*) FILTER (WHERE ${original})`,
};

/** Sums by the full key, by one dimension and per key and day, compared with their rows. */
export function sumChecks(span: Span | null): BookCheck[] {
  const levels = rollupTables.flatMap(({ table, grain, bucketOf }) => [
    sumsCheck(
      { table, level: table, key: rollupKey, select: rollupKey, groups: rollupKey, sums: measures, bucket: bucketOf("started_at") },
      span,
    ),
    sumsCheck(
      {
        ...{ table: "usage_sums", level: table, key: "tenant_id, kind, bucket, id", bucket: bucketOf("started_at"), grain },
        select: `tenant_id, ${oneDimension.kind} AS kind, bucket, ${oneDimension.id} AS id`,
        groups: oneDimension.groups,
        sums: { ...measures, ...endings },
      },
      span,
    ),
  ]);
  return [...levels, sumsCheck({ ...keyDays, sums: keyDaySums }, span)];
}

const keyDays: Omit<KeptSums, "sums"> = {
  ...{
    table: "key_days",
    level: "rollups_day",
    key: keyOfDay,
    select: keyOfDay,
    groups: keyOfDay,
    bucket: rollupTables[2].bucketOf("started_at"),
  },
  ...{ rows: `${isUuid("user_id")} AND ${isUuid("key_id")}`, kept: "tenant_id, bucket, user_id::text, key_id::text" },
};

interface KeptSums {
  table: string;
  /** The rollup with the same buckets, whose retention applies to these sums as well. */
  level: string;
  grain?: string;
  key: string;
  select: string;
  groups: string;
  sums: Record<string, string>;
  bucket: string;
  /** Which rows count, when not all do; and the key's columns, when their types differ from those of the rows. */
  rows?: string;
  kept?: string;
}

const rollupKey = `tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class`;

const endings = Object.fromEntries(
  ["3xx", "4xx", "5xx", "aborted", "refused"].map((name) => [
    `requests_${name}`,
    `count(*) FILTER (WHERE status_class = '${name}' AND ${original})`,
  ]),
);

function sumsCheck(kept: KeptSums, span: Span | null): BookCheck {
  const { table } = kept;
  return {
    table,
    async find(db) {
      const { rows } = await db.query<SumsRow>(sumsSql(kept, span !== null), spanValues(span));
      return rows.map(({ key, bucket, key_id, user_id, raw, kept: found }) => ({
        ...{ invariant: "I2" as const, table, id: key, bucketMs: bucket.getTime() },
        ...(key_id === undefined ? {} : { keyId: key_id }),
        ...(user_id === undefined ? {} : { userId: user_id }),
        ...differing(Object.keys(kept.sums), raw, found),
      }));
    },
  };
}

/** $1 and $2 prune partitions and are an hour wider than the days $3 to $4 by which rows are summed. */
function spanValues(span: Span | null): unknown[] {
  if (!span) return [];
  return [firstIdAt(span.fromMs - HOUR_MS), firstIdAt(span.toMs + HOUR_MS), new Date(span.fromMs), new Date(span.toMs)];
}

function sumsSql({ table, level, grain, key, select, groups, sums, bucket, rows = "true", kept = key }: KeptSums, isSpan: boolean): string {
  // Rows or sums before this time were removed by the retention.
  const retained = `bucket >= to_timestamp(coalesce((SELECT max(value::bigint) FROM installation
    WHERE name IN ('requests.kept_from', '${level}.kept_from')), 0) / 1000.0)`;
  const rowsOfSpan = isSpan
    ? "WHERE id >= $1::uuid AND id < $2::uuid AND started_at >= $3::timestamptz AND started_at < $4::timestamptz"
    : "";
  const keptOfSpan = isSpan ? "AND bucket >= $3::timestamptz AND bucket < $4::timestamptz" : "";
  const texts = (sql: readonly string[]): string => sql.map((one) => `(${one})::text`).join(", ");
  return `WITH raw AS (
    SELECT ${select}, ARRAY[${texts(Object.values(sums))}] AS sums
    FROM (SELECT *, ${bucket} AS bucket, ${statusClassSql} AS status_class FROM requests ${rowsOfSpan}) AS classed
    WHERE ${retained} AND ${rows} GROUP BY ${groups}),
  kept AS (
    SELECT ${kept}, ARRAY[${texts(Object.keys(sums))}] AS sums
    FROM ${table} WHERE ${retained} ${keptOfSpan} ${grain === undefined ? "" : `AND grain = '${grain}'`})
  SELECT concat_ws(' ', ${grain === undefined ? "" : `'${grain}', `}${key}) AS key, bucket, ${grain === undefined ? "key_id, user_id, " : ""}
    raw.sums AS raw, kept.sums AS kept
  FROM raw FULL JOIN kept USING (${key}) WHERE raw.sums IS DISTINCT FROM kept.sums LIMIT ${LISTED}`;
}
