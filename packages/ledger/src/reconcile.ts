import type { BooksDifference } from "@sluice/core/events";
import { firstIdAt } from "@sluice/core/ids";
import { sketchBounds } from "@sluice/core/latency-sketch";
import type pg from "pg";
import { isUuid, type RecentRange, recentColumns, recentFrom, recentRanges } from "./recent-columns.ts";
import { oneDimension, rollupTables, statusClassSql } from "./settle-statement.ts";

/**
 * The invariants that Postgres alone can show. They are computed apart from the code that writes: sums from the raw
 * rows, costs in SQL's exact decimals from tokens × the price version. Every difference is a defect of ours.
 */
export interface Difference {
  invariant: BooksDifference["invariant"] | "I1" | "I6" | "I9";
  /** The request, or the key of a sum. */
  id: string;
  what: string;
}

/** Whole UTC days, ms since the epoch. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** One statement: both figures from one snapshot, so that it is right while rows arrive. */
export interface BookCheck {
  /** What is compared with what it is made of. */
  table: string;
  find(db: pg.Pool | pg.ClientBase): Promise<BooksDifference[]>;
}

/** Differences listed per check: the first ones say what is wrong, a million of them say no more. */
const LISTED = 20;
const HOUR = 3_600_000;

/** What can be checked a day at a time; null = of all time at once. */
export function checksOf(span: Span | null): BookCheck[] {
  return [...sumChecks(span), doublesCheck(span), costsCheck(span)];
}

/** What has no time: totals and balances, from the daily sums. That these are right is I2. */
export const timelessChecks: readonly BookCheck[] = [
  totalsCheck("key_totals", "key_id"),
  totalsCheck("user_totals", "user_id"),
  ...recentRanges.flatMap((range) => [recentCheck("key", range), recentCheck("user", range)]),
  monthsCheck(),
  balances(),
];

/** I2: every sum at every level equals that of its raw rows, with the same key, none missing and none too many. */
export const findWrongSums = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, sumChecks(null));

/** I2: what a key or a user has used in all is the sum of its days. */
export const findWrongTotals = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, timelessChecks.slice(0, -1));

/**
 * I3: every account has what it was given less what the ledger charged, and holds what its open holds say. The ledger's
 * part is read from the daily sums, which stay when old rows go.
 */
export const findWrongBalances = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, timelessChecks.slice(-1));

/** I4: no id twice. (A primary key says so of each partition, and ranges of each other; this says so of the data.) */
export const findDoubles = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [doublesCheck(null)]);

/** I5: what was charged is what tokens and price give, bit for bit. */
export const findWrongCosts = (pool: pg.Pool): Promise<Difference[]> => findAll(pool, [costsCheck(null)]);

async function findAll(pool: pg.Pool, checks: readonly BookCheck[]): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const check of checks) {
    for (const { invariant, table, id, expected, found: kept } of await check.find(pool))
      found.push({ invariant, id, what: `${table}: expected ${expected}, kept is ${kept}` });
  }
  return found;
}

const tokens = ["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"];
const original = "corrects_id IS NULL";

/** What a rollup keeps, and what it has to be by its rows. */
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

/** A sketch as it must be: ten to the power of its bucket's place, for each row. */
function sketchSum(column: string): string {
  const bucket = `width_bucket(${column}, '{${sketchBounds.join(",")}}'::int[])`;
  return `coalesce(sum(CASE WHEN ${original} AND ${column} IS NOT NULL THEN ('1e' || 10 * ${bucket})::numeric END), 0)`;
}

/** What is kept of all time and by the day, from rollups or, with a condition on originals, from rows: computed apart from the settle statement. */
const totalSums = rankedBy({
  count: (condition) => `coalesce(sum(requests) FILTER (WHERE ${condition}), 0)`,
  ttftCount: "sum(ttft_count)",
  ttftMsSum: "sum(ttft_ms_sum)",
});
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

function rankedBy({
  count,
  ttftCount,
  ttftMsSum,
}: {
  count: (condition: string) => string;
  ttftCount: string;
  ttftMsSum: string;
}): Record<string, string> {
  return {
    requests: count("true"),
    total_tokens: `sum(${tokens.join(" + ")})`,
    cost_nano_usd: "coalesce(sum(cost_nano_usd), 0)",
    errors: count("status_class IN ('4xx', '5xx')"),
    ended_requests: count("status_class IN ('2xx', '3xx', '4xx', '5xx')"),
    prompt_tokens: `sum(${tokens.filter((name) => name !== "output_tokens").join(" + ")})`,
    cache_read_tokens: "sum(cache_read_tokens)",
    ttft_count: ttftCount,
    ttft_ms_sum: ttftMsSum,
  };
}

interface SumsRow {
  key: string;
  bucket: Date;
  key_id?: string;
  user_id?: string;
  raw: string[] | null;
  kept: string[] | null;
}

/** Sums of the full key, of one dimension, and how rows make them. */
function sumChecks(span: Span | null): BookCheck[] {
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

const keyOfDay = "tenant_id, bucket, user_id, key_id";
const keyDays: Omit<KeptSums, "sums"> = {
  ...{
    table: "key_days",
    level: "rollups_day",
    key: keyOfDay,
    select: keyOfDay,
    groups: keyOfDay,
    bucket: rollupTables[2].bucketOf("started_at"),
  },
  ...{ rows: `user_id ${isUuid} AND key_id ${isUuid}`, kept: "tenant_id, bucket, user_id::text, key_id::text" },
};

interface KeptSums {
  table: string;
  /** The rollup of the same buckets, whose retention is theirs. */
  level: string;
  grain?: string;
  key: string;
  select: string;
  groups: string;
  sums: Record<string, string>;
  bucket: string;
  /** Which rows are in it, when not all are; and its key, when that is of other types than theirs. */
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

/** Only the measures that differ, by name. A sketch is as long as it is unreadable. */
function differing(measured: readonly string[], raw: string[] | null, kept: string[] | null): { expected: string; found: string } {
  const names = measured.flatMap((name, at) => (raw && kept && raw[at] === kept[at] ? [] : [{ name, at }]));
  const text = (sums: string[] | null) => {
    if (!sums) return "nothing";
    const shown = names.map(({ name, at }) => `${name} ${(sums[at] ?? "").length > 30 ? `${sums[at]?.slice(0, 30)}…` : sums[at]}`);
    return shown.join(", ");
  };
  return { expected: text(raw), found: text(kept) };
}

/** $1 and $2 prune partitions, an hour wider than the days of $3 and $4 by which rows are summed. */
function spanValues(span: Span | null): unknown[] {
  if (!span) return [];
  return [firstIdAt(span.fromMs - HOUR), firstIdAt(span.toMs + HOUR), new Date(span.fromMs), new Date(span.toMs)];
}

function sumsSql({ table, level, grain, key, select, groups, sums, bucket, rows = "true", kept = key }: KeptSums, isSpan: boolean): string {
  // Before this, rows or sums were taken away by the retention.
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

function totalsCheck(table: "key_totals" | "user_totals", id: "key_id" | "user_id"): BookCheck {
  return {
    table,
    async find(db) {
      const names = Object.keys(totalSums);
      const figures = (of: string): string => `ARRAY[${names.map((name) => `coalesce(${of}.${name}, 0)::text`).join(", ")}]`;
      const { rows } = await db.query<{ id: string; raw: string[]; kept: string[] }>(`
        WITH used AS (SELECT ${id}::uuid AS id, ${Object.entries(totalSums)
          .map(([name, sum]) => `${sum} AS ${name}`)
          .join(", ")} FROM rollups_day WHERE ${id} ${isUuid} AND user_id ${isUuid} GROUP BY 1)
        SELECT id, ${figures("u")} AS raw, ${figures("t")} AS kept
        FROM used u FULL JOIN (SELECT ${id} AS id, ${names.join(", ")} FROM ${table}) t USING (id)
        WHERE ${figures("u")} <> ${figures("t")} LIMIT ${LISTED}`);
      return rows.map(({ id: of, raw, kept }) => ({
        ...{ invariant: "I2" as const, table, id: of, ...differing(names, raw, kept) },
        ...(id === "key_id" ? { keyId: of } : { userId: of }),
      }));
    },
  };
}

/** I2: what a key did in a month is the sum of its days. */
function monthsCheck(): BookCheck {
  return {
    table: "key_months",
    async find(db) {
      const names = Object.keys(totalSums);
      const figures = (of: string): string => `ARRAY[${names.map((name) => `coalesce(${of}.${name}, 0)::text`).join(", ")}]`;
      const { rows } = await db.query<SumsRow & { key_id: string; user_id: string }>(`
        WITH days AS (SELECT tenant_id, date_trunc('month', bucket, 'UTC') AS bucket, user_id, key_id,
          ${names.map((name) => `sum(${name}) AS ${name}`).join(", ")} FROM key_days GROUP BY 1, 2, 3, 4)
        SELECT concat_ws(' ', ${keyOfDay}) AS key, bucket, user_id, key_id, ${figures("d")} AS raw, ${figures("m")} AS kept
        FROM days d FULL JOIN key_months m USING (${keyOfDay}) WHERE ${figures("d")} <> ${figures("m")} LIMIT ${LISTED}`);
      return rows.map(({ key, bucket, key_id, user_id, raw, kept }) => ({
        ...{ invariant: "I2" as const, table: "key_months", id: key, bucketMs: bucket.getTime(), keyId: key_id, userId: user_id },
        ...differing(names, raw, kept),
      }));
    },
  };
}

/** I2: what a key or a user used lately is the sum of the hours since then. */
function recentCheck(owner: "key" | "user", range: RecentRange): BookCheck {
  const columns = recentColumns(range, "true");
  const names = Object.keys(columns);
  const table = `${owner}_totals`;
  const texts = (of: string): string => `concat_ws(', ', ${names.map((name) => `'${name} ' || coalesce(${of}.${name}, 0)`).join(", ")})`;
  const ids = owner === "key" ? `key_id ${isUuid} AND user_id ${isUuid}` : `user_id ${isUuid}`;
  return {
    table,
    async find(db) {
      const { rows } = await db.query<{ id: string; expected: string; kept: string }>(`
        WITH used AS (SELECT ${owner}_id::uuid AS id, ${names.map((name) => `${columns[name]} AS ${name}`).join(", ")}
          FROM rollups_hour WHERE bucket >= ${recentFrom(range)} AND ${ids} GROUP BY 1)
        SELECT id, ${texts("u")} AS expected, ${texts("t")} AS kept
        FROM used u FULL JOIN (SELECT ${owner}_id AS id, ${names.join(", ")} FROM ${table}) t USING (id)
        WHERE ${texts("u")} <> ${texts("t")} LIMIT ${LISTED}`);
      return rows.map(({ id, expected, kept }) => ({
        ...{ invariant: "I2" as const, table, id, expected, found: kept },
        ...(owner === "key" ? { keyId: id } : { userId: id }),
      }));
    },
  };
}

function balances(): BookCheck {
  return {
    table: "accounts",
    async find(db) {
      const { rows } = await db.query<{ id: string; kept: string; expected: string }>(`
        WITH charged AS (SELECT user_id, sum(cost_nano_usd) AS cost FROM rollups_day WHERE user_id <> '' GROUP BY 1),
        moved AS (SELECT user_id, sum(amount_nano_usd) AS amount, sum(held_nano_usd) AS held FROM account_entries GROUP BY 1)
        SELECT a.user_id AS id, concat('balance ', a.balance_nano_usd, ', held ', a.held_nano_usd) AS kept,
          concat('balance ', a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0), ', held ', coalesce(m.held, 0)) AS expected
        FROM accounts a LEFT JOIN charged c ON c.user_id = a.user_id::text LEFT JOIN moved m ON m.user_id = a.user_id
        WHERE a.balance_nano_usd <> a.postpaid_nano_usd + coalesce(m.amount, 0) - coalesce(c.cost, 0) OR a.held_nano_usd <> coalesce(m.held, 0)
        LIMIT ${LISTED}`);
      return rows.map(({ id, kept, expected }) => ({ invariant: "I3", table: "accounts", id, userId: id, expected, found: kept }));
    },
  };
}

function idsOf(span: Span | null): { where: string; values: string[] } {
  if (!span) return { where: "true", values: [] };
  return { where: "r.id >= $1::uuid AND r.id < $2::uuid", values: [firstIdAt(span.fromMs), firstIdAt(span.toMs)] };
}

function doublesCheck(span: Span | null): BookCheck {
  const { where, values } = idsOf(span);
  return {
    table: "requests",
    async find(db) {
      const { rows } = await db.query<{ id: string; n: string }>(
        `SELECT id, count(*) AS n FROM requests r WHERE ${where} GROUP BY id HAVING count(*) > 1 LIMIT ${LISTED}`,
        values,
      );
      return rows.map(({ id, n }) => ({ invariant: "I4", table: "requests", id, requestId: id, expected: "1 row", found: `${n} rows` }));
    },
  };
}

/**
 * Tokens × price version × multipliers, rounded once, half up, is the stored cost; of a corrected request the sum of it and
 * its corrections, by the version and multipliers of the last one that was priced. Prices are USD per million tokens, so
 * tokens × price × 1,000 are nano-USD; a missing cache price is 1.25 ×, 2 × or 0.1 × the input price. What has no cost is
 * flagged unpriced; where nothing was produced there is no breakdown, and nothing to pay.
 */
function costsCheck(span: Span | null): BookCheck {
  const { where, values } = idsOf(span);
  const multiplier = (name: string, field: string) => `coalesce(l.${name}, r.${name}, (d.detail -> 'cost' ->> '${field}')::numeric)`;
  const tokensOf = (kind: string) => `(r.${kind}_tokens + coalesce(l.${kind}, 0))`;
  const kinds = ["input", "output", "cache_write_5m", "cache_write_1h", "cache_read"];
  const last = (name: string) => `(array_agg(r.${name} ORDER BY r.settled_seq DESC) FILTER (WHERE r.price_id IS NOT NULL))[1] AS ${name}`;
  // A correction is in its original's millisecond, and so in the same span.
  const text = `
    WITH corrections AS (
      SELECT r.corrects_id AS id, sum(r.cost_nano_usd) AS cost, ${["price_id", "provider_multiplier", "group_multiplier"].map(last).join(", ")},
        ${kinds.map((kind) => `sum(r.${kind}_tokens) AS ${kind}`).join(", ")}
      FROM requests r WHERE r.corrects_id IS NOT NULL AND ${where} GROUP BY 1)
    SELECT id, stored, expected FROM (
      SELECT r.id, (coalesce(r.cost_nano_usd, 0) + coalesce(l.cost, 0))::text AS stored,
        floor((${tokensOf("input")} * p.input_per_mtok + ${tokensOf("output")} * p.output_per_mtok
        + ${tokensOf("cache_write_5m")} * coalesce(p.cache_write_5m_per_mtok, round(p.input_per_mtok * 1.25, 12))
        + ${tokensOf("cache_write_1h")} * coalesce(p.cache_write_1h_per_mtok, p.input_per_mtok * 2)
        + ${tokensOf("cache_read")} * coalesce(p.cache_read_per_mtok, round(p.input_per_mtok * 0.1, 12))) * 1000
        * ${multiplier("provider_multiplier", "providerMultiplier")} * ${multiplier("group_multiplier", "groupMultiplier")} + 0.5)::text AS expected
      FROM requests r LEFT JOIN corrections l ON l.id = r.id LEFT JOIN prices p ON p.id = coalesce(l.price_id, r.price_id)
        LEFT JOIN request_details d ON d.id = r.id AND r.provider_multiplier IS NULL
      WHERE r.corrects_id IS NULL AND r.billable AND (r.cost_nano_usd IS NOT NULL OR l.cost IS NOT NULL) AND ${where}) AS priced
    WHERE stored IS DISTINCT FROM expected AND NOT (expected IS NULL AND stored = '0')
    UNION ALL
    SELECT r.id, 'no cost', 'flag unpriced' FROM requests r
    WHERE r.cost_nano_usd IS NULL AND r.billable AND NOT 'unpriced' = ANY (r.flags) AND ${where}
    LIMIT ${LISTED}`;
  return {
    table: "requests",
    async find(db) {
      const { rows } = await db.query<{ id: string; stored: string; expected: string | null }>(text, values);
      return rows.map(({ id, stored, expected }) => ({
        ...{ invariant: "I5" as const, table: "requests", id, requestId: id, found: stored },
        expected: expected ?? "nothing (no price or breakdown)",
      }));
    },
  };
}
