import { FIVE_MINUTES_MS, TOP } from "@sluice/core/overview";
import type { OverviewRange, OverviewSplit } from "@sluice/core/overview-range";
import { DAY_MS, HOUR_MS } from "@sluice/core/time-zone";
import { isUuid, recentFrom, tokens } from "@sluice/ledger/recent-columns";
import { rowColumns } from "@sluice/ledger/stored-row";
import { MOST_RECENT } from "../statistics/recent-ends.ts";
import { keyDaysSql, measured } from "./key-days-statement.ts";

/**
 * The statements of the overview. They list the wanted buckets, so that a day of any zone is composed of days, hours and five minutes,
 * and no unneeded row is read. Figures of all users come from sums by one dimension and from recent totals; those of one user from the
 * rollups, whose key begins with (tenant, bucket, user).
 */
export interface BucketList {
  fiveMinutes: Date[];
  hours: Date[];
  days: Date[];
}

/**
 * The fewest buckets that cover exactly [fromMs, toMs), both multiples of five minutes. Before `fineFromMs` only hourly sums are kept:
 * there, a day of a zone with a half-hour offset ends with the whole hour, and the next one begins after it.
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

/** The first whole hour from `ms` on, where only hourly sums are kept. */
export function wholeHour(ms: number, fineFromMs: number): number {
  return ms < fineFromMs ? Math.ceil(ms / HOUR_MS) * HOUR_MS : ms;
}

/** The whole steps inside a range; if there are none, an empty range at its end. */
function inner(fromMs: number, toMs: number, stepMs: number): { from: number; to: number } {
  const from = Math.ceil(fromMs / stepMs) * stepMs;
  const to = Math.floor(toMs / stepMs) * stepMs;
  return from < to ? { from, to } : { from: toMs, to: toMs };
}

/** Start times of equal steps. */
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

const columnOf: Record<OverviewSplit, string> = { model: "model", provider: "provider_id", user: "user_id", key: "key_id" };

/** The sums of rollup rows, by the name that they have in core/overview. */
export const rollupSums = {
  requests: "sum(requests)::float8",
  errors: "sum(errors)::float8",
  input: "sum(input_tokens)::float8",
  output: "sum(output_tokens)::float8",
  cacheWrite: "sum(cache_write_5m_tokens + cache_write_1h_tokens)::float8",
  cacheRead: "sum(cache_read_tokens)::float8",
  costNanoUsd: "sum(cost_nano_usd)",
  ttftCount: "sum(ttft_count)::float8",
  ttftMsSum: "sum(ttft_ms_sum)::float8",
  durationMsSum: "sum(duration_ms_sum)::float8",
};
const summed = Object.entries(rollupSums)
  .map(([name, sql]) => `${sql} AS "${name}"`)
  .join(", ");

/** $1 tenant, $2 five minutes, $3 hours, $4 days: rollup rows that meet a condition, with the given expression as `id`. */
function rollups(id: string, condition: string): string {
  const parts = [["rollups_5m", "$2"] as const, ["rollups_hour", "$3"] as const, ["rollups_day", "$4"] as const];
  return `(${parts.map((part) => rollup(id, condition, part)).join(" UNION ALL ")}) AS wanted`;
}

const rollup = (id: string, condition: string, [table, parameter]: readonly [table: string, parameter: string]): string =>
  `SELECT bucket, ${id} AS id, CASE WHEN status_class IN ('4xx', '5xx') THEN requests ELSE 0 END AS errors, ${measured}
    FROM ${table} WHERE tenant_id = $1 AND bucket = ANY(${parameter}::timestamptz[]) AND ${condition}`;

/** As {@link rollups}, but of all users: everything together (''), or by model or provider. */
function usageSums(kind: "" | "model" | "provider", condition = "true"): string {
  const part = (grain: string, parameter: string): string =>
    `SELECT bucket, id, requests_4xx + requests_5xx AS errors, ${measured}
    FROM usage_sums WHERE tenant_id = $1 AND grain = '${grain}' AND kind = '${kind}' AND bucket = ANY(${parameter}::timestamptz[]) AND ${condition}`;
  return `(${part("5m", "$2")} UNION ALL ${part("hour", "$3")} UNION ALL ${part("day", "$4")}) AS wanted`;
}

/** Sums by slot: the index of the last of the ascending times $5 at or before the bucket. Own: only of the user $6. */
export function slotsSql(own: boolean): string {
  return `SELECT ${slot}, ${summed} FROM ${own ? rollups("NULL", "user_id = $6") : usageSums("")} GROUP BY 1`;
}

const slot = "width_bucket(bucket, $5::timestamptz[]) - 1 AS slot";

/**
 * As {@link slotsSql}, by one dimension: the ids $6 separately, all others as null. For all users, the others are the total minus the
 * named ones, so that their rows need not be read. Own: only of the user $7.
 */
export function seriesSql(own: boolean, by: OverviewSplit): string {
  if (own) {
    const id = `CASE WHEN ${columnOf[by]} = ANY($6::text[]) THEN ${columnOf[by]} END`;
    return `SELECT ${slot}, id, ${summed} FROM ${rollups(id, "user_id = $7")} GROUP BY 1, 2`;
  }
  const others = Object.keys(rollupSums).map((name) => `a."${name}" - coalesce(n."${name}", 0) AS "${name}"`);
  const of = (alias: string): string =>
    Object.keys(rollupSums)
      .map((name) => `${alias}."${name}"`)
      .join(", ");
  const each = Object.keys(rollupSums).map((name) => `sum("${name}") AS "${name}"`);
  return `WITH named AS (SELECT ${slot}, id, ${summed} FROM ${named(by)} GROUP BY 1, 2)
    SELECT * FROM named UNION ALL
    SELECT a.slot, NULL, ${others.join(", ")} FROM (SELECT ${slot}, ${summed} FROM ${usageSums("")} GROUP BY 1) AS a
      LEFT JOIN (SELECT slot, ${each.join(", ")} FROM named GROUP BY 1) AS n USING (slot)
      WHERE (${of("a")}) IS DISTINCT FROM (${of("n")})`;
}

/** Rows of the ids $6, which come from our own tables. Keys are looked up with their owners, who precede them in the rollups' key. */
function named(by: OverviewSplit): string {
  if (by === "model" || by === "provider") return usageSums(by, "id = ANY($6::text[])");
  if (by === "user") return ofKeys(by, { where: "user_id = ANY($6::text[]::uuid[])", rolled: "user_id = ANY($6::text[])" });
  const owners = (type: string) => `user_id = ANY(ARRAY(SELECT user_id::${type} FROM key_totals WHERE key_id = ANY($6::text[]::uuid[])))`;
  return ofKeys(by, {
    where: `${owners("uuid")} AND key_id = ANY($6::text[]::uuid[])`,
    rolled: `${owners("text")} AND key_id = ANY($6::text[])`,
  });
}

/** As {@link rollups}, but whole days come from `key_days`, which has fewer rows. */
function ofKeys(by: "user" | "key", { where, rolled }: { where: string; rolled: string }): string {
  const days = (condition: string): string => `tenant_id = $1 AND bucket = ANY($4::timestamptz[]) AND ${condition}`;
  const id = columnOf[by];
  const ofDays = keyDaysSql({ id, where: days(where), keyless: by === "user" ? days(rolled) : undefined });
  const parts = [rollup(id, rolled, ["rollups_5m", "$2"]), rollup(id, rolled, ["rollups_hour", "$3"])];
  return `(${parts.join(" UNION ALL ")} UNION ALL SELECT bucket, id, errors, ${measured} FROM (${ofDays}) AS days) AS wanted`;
}

/** The most expensive models and providers; own: models and keys, of the user $5. */
export function topSql(own: boolean): string {
  const lists = own
    ? (["model", "key"] as const).map((split) => ({ split, source: rollups(columnOf[split], "user_id = $5") }))
    : (["model", "provider"] as const).map((split) => ({ split, source: usageSums(split) }));
  return lists
    .map(({ split, source }) => first(split, `SELECT id, ${listed} FROM ${source} WHERE id <> '' GROUP BY 1`))
    .join(" UNION ALL ");
}

/** The figures of a top list, as integers: comparing those is much faster than comparing decimals. */
const listed = `sum(requests)::bigint AS requests, sum(errors)::bigint AS errors, sum(${tokens})::bigint AS tokens, sum(cost_nano_usd)::bigint AS cost`;

/** Converts for output only after the few top rows are selected. */
function first(split: OverviewSplit, from: string): string {
  return `(SELECT '${split}' AS kind, id::text, requests::float8, errors::float8, tokens::float8, cost AS "costNanoUsd"
    FROM (SELECT * FROM (${from}) AS ${split}s ORDER BY cost DESC, requests DESC, id LIMIT ${TOP}) AS first)`;
}

/**
 * The most expensive users and keys: their totals of the range and, if these begin at another time than the range, $5 (1 or -1) times the
 * few buckets in between.
 */
export function topOwnersSql(range: OverviewRange, edge: boolean): string {
  return (["user", "key"] as const)
    .map((split) => {
      const used = edge
        ? movedTotals(split, range)
        : `SELECT t.${split}_id AS id, ${totals((name) => `t.${name}_${range}`)} FROM ${split}_totals t`;
      return first(split, `SELECT * FROM (${used} WHERE t.tenant_id = $1) AS used WHERE requests <> 0 OR tokens <> 0 OR cost <> 0`);
    })
    .join(" UNION ALL ");
}

/** The figures of a top list, from totals. */
const totals = (of: (name: string, as: string) => string): string =>
  [["requests", "requests"] as const, ["errors", "errors"] as const, ["tokens", "tokens"] as const, ["cost_nano_usd", "cost"] as const]
    .map(([name, as]) => `${of(name, as)} AS ${as}`)
    .join(", ");

function movedTotals(split: "user" | "key", range: OverviewRange): string {
  const id = `${split}_id`;
  // Only ids of our own tables have totals.
  const edges = `SELECT id, ${listed} FROM ${rollups(`${id}::uuid`, isUuid(id))} GROUP BY 1`;
  return `SELECT t.${id} AS id, ${totals((name, as) => `t.${name}_${range} + $5::int * coalesce(e.${as}, 0)`)}
    FROM ${split}_totals t LEFT JOIN (${edges}) AS e ON e.id = t.${id}`;
}

/** Active sessions of the user $2 ('' = of all users) at the beginning of each five minutes from $3 to $4. $1 tenant. */
export const samplesSql = `SELECT bucket, coalesce(max(active) FILTER (WHERE user_id = $2), 0)::int AS active
  FROM session_samples WHERE tenant_id = $1 AND user_id IN ('', $2) AND bucket BETWEEN $3 AND $4 GROUP BY bucket`;

/**
 * Describes the snapshot that the sums are read in: the last settled row they include, whether there are any, and which recent rows ended
 * after $2; for all users also the beginning of the range's totals. $1 tenant, $3 user (own scope only).
 */
export function settledSql(own: boolean, range: OverviewRange): string {
  const scope = `tenant_id = $1${own ? " AND user_id = $3" : ""}`;
  const endedAt = "started_at + duration_ms * interval '1 ms'";
  const from = own ? "" : `${recentFrom(range)} AS "totalsFrom", `;
  const used = own ? "user_totals WHERE tenant_id = $1 AND user_id = $3::text::uuid AND requests > 0" : "rollups_day WHERE tenant_id = $1";
  return `SELECT ${from}(SELECT coalesce(max(settled_seq), 0)::text FROM requests) AS "settledSeq",
    EXISTS (SELECT FROM ${used}) AS used,
    (SELECT coalesce(json_agg(json_build_object('id', id, 'endedMs', CASE WHEN corrects_id IS NULL THEN extract(epoch FROM ${endedAt}) * 1000 END)), '[]')
      FROM requests WHERE settled_seq > (SELECT last_value - ${MOST_RECENT} FROM requests_settled_seq)
        AND (${endedAt} >= $2 OR corrects_id IS NOT NULL) AND ${scope}) AS ended`;
}

/**
 * Rows settled after $2, and which of the requests $3 are settled, both in one snapshot. $1 tenant, $4 and $5 the first and last of $3,
 * which limit the partitions, $6 user (own scope only).
 */
export function followingSql(own: boolean): string {
  const scope = `r.tenant_id = $1${own ? " AND r.user_id = $6" : ""}`;
  return `SELECT (SELECT json_agg(f) FROM (SELECT ${rowColumns} FROM requests r WHERE r.settled_seq > $2 AND ${scope}) AS f) AS rows,
    ARRAY(SELECT id::text FROM requests WHERE id = ANY($3::uuid[]) AND id BETWEEN $4::uuid AND $5::uuid) AS settled`;
}

/** The last position that is settled or about to be. */
export const settledSeqSql = "SELECT last_value::text AS seq FROM requests_settled_seq";
