import type pg from "pg";
import { type Finding, findingOf } from "./finding.ts";

const key = `tenant_id, user_id, key_id, provider_id, model, "group", dialect`;
const kinds = ["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"];
const sums = [...kinds, "cost_nano_usd", "upstream_cost_nano_usd"].map((name) => `coalesce(sum(${name}), 0)`).join(", ");

const levels = [
  { grain: "5m", table: "rollups_5m", bucket: "date_bin('5 minutes', started_at, '2000-01-01T00:00:00Z'::timestamptz)" },
  { grain: "hour", table: "rollups_hour", bucket: "date_trunc('hour', started_at, 'UTC')" },
  { grain: "day", table: "rollups_day", bucket: "date_trunc('day', started_at, 'UTC')" },
];

/** I2: every sum at every level equals that of its rows; none is missing and none is extra. */
export async function checkSums(pool: pg.Pool): Promise<Finding> {
  const compared = [
    ...levels.map(({ table, bucket }) => levelSql(table, bucket)),
    ...levels.flatMap(({ grain, bucket }) => dimensions.map((dimension) => dimensionSql(grain, bucket, dimension))),
    dimensionSql("month", "date_trunc('month', started_at, 'UTC')", ofAll),
    totalsSql("key_totals", "key_id"),
    totalsSql("user_totals", "user_id"),
    keySumsSql("key_days", "day"),
    keySumsSql("key_months", "month"),
  ];
  const wrong: string[] = [];
  let checked = 0;
  for (const sql of compared) {
    const { rows } = await pool.query<{ key: string; raw: string | null; kept: string | null }>(sql);
    checked += rows.length;
    for (const { key, raw, kept } of rows)
      if (raw !== kept) wrong.push(`${key}: rows give ${raw ?? "nothing"}, kept is ${kept ?? "nothing"}`);
  }
  return findingOf("I2", checked, "sums of eight tables", wrong);
}

function levelSql(table: string, bucket: string): string {
  return `WITH raw AS (SELECT ${bucket} AS bucket, ${key},
      concat_ws('/', count(*) FILTER (WHERE corrects_id IS NULL), ${sums}) AS sums FROM requests GROUP BY bucket, ${key}),
    kept AS (SELECT bucket, ${key}, concat_ws('/', sum(requests), ${sums}) AS sums FROM ${table} GROUP BY bucket, ${key})
    SELECT concat_ws(' ', '${table}', bucket, ${key}) AS key, raw.sums AS raw, kept.sums AS kept
    FROM raw FULL JOIN kept USING (bucket, ${key})`;
}

const ofAll = { kind: "", column: "''" };
const dimensions = [
  ofAll,
  { kind: "model", column: "model" },
  { kind: "provider", column: "provider_id" },
  { kind: "group", column: '"group"' },
  { kind: "dialect", column: "dialect" },
];

/** Sums by one dimension, with the numbers of refused and aborted requests. */
function dimensionSql(grain: string, bucket: string, { kind, column }: (typeof dimensions)[number]): string {
  return `WITH raw AS (SELECT tenant_id, ${bucket} AS bucket, ${column} AS id, concat_ws('/', count(*) FILTER (WHERE corrects_id IS NULL),
      count(*) FILTER (WHERE state = 'refused' AND corrects_id IS NULL), count(*) FILTER (WHERE state = 'aborted' AND corrects_id IS NULL),
      ${sums}) AS sums FROM requests GROUP BY 1, 2, 3),
    kept AS (SELECT tenant_id, bucket, id, concat_ws('/', sum(requests), sum(requests_refused), sum(requests_aborted), ${sums}) AS sums
      FROM usage_sums WHERE grain = '${grain}' AND kind = '${kind}' GROUP BY 1, 2, 3)
    SELECT concat_ws(' ', 'usage_sums ${grain} ${kind}', tenant_id, bucket, id) AS key, raw.sums AS raw, kept.sums AS kept
    FROM raw FULL JOIN kept USING (tenant_id, bucket, id)`;
}

function totalsSql(table: string, id: string): string {
  return `WITH raw AS (SELECT ${id} AS id, concat_ws('/', count(*) FILTER (WHERE corrects_id IS NULL), sum(${kinds.join(" + ")}),
      coalesce(sum(cost_nano_usd), 0)) AS sums FROM requests WHERE ${id} <> '' GROUP BY 1),
    kept AS (SELECT ${id}::text AS id, concat_ws('/', requests, total_tokens, cost_nano_usd) AS sums FROM ${table}
      WHERE (requests, total_tokens, cost_nano_usd) <> (0, 0, 0))
    SELECT concat_ws(' ', '${table}', id) AS key, raw.sums AS raw, kept.sums AS kept FROM raw FULL JOIN kept USING (id)`;
}

/** Usage of each key by day or month. */
function keySumsSql(table: string, unit: "day" | "month"): string {
  return `WITH raw AS (SELECT date_trunc('${unit}', started_at, 'UTC') AS bucket, user_id, key_id, concat_ws('/', count(*) FILTER (WHERE corrects_id IS NULL),
    sum(${kinds.join(" + ")}), coalesce(sum(cost_nano_usd), 0), count(*) FILTER (WHERE corrects_id IS NULL AND state NOT IN ('aborted', 'refused'))) AS sums
    FROM requests WHERE key_id <> '' GROUP BY 1, 2, 3),
  kept AS (SELECT bucket, user_id::text, key_id::text, concat_ws('/', requests, total_tokens, cost_nano_usd, ended_requests) AS sums FROM ${table})
  SELECT concat_ws(' ', '${table}', bucket, key_id) AS key, raw.sums AS raw, kept.sums AS kept FROM raw FULL JOIN kept USING (bucket, user_id, key_id)`;
}

/** I4: no id occurs twice, and nothing is in quarantine: every FINISH became a row. */
export async function checkOnce(pool: pg.Pool): Promise<Finding> {
  const { rows } = await pool.query<{ n: number; distinct: number; quarantined: number }>(`SELECT count(*)::int AS n,
    count(DISTINCT id)::int AS distinct, (SELECT count(*)::int FROM ledger_quarantine) AS quarantined FROM requests`);
  const { n = 0, distinct = 0, quarantined = 0 } = rows[0] ?? {};
  const wrong: string[] = [];
  if (n !== distinct) wrong.push(`${n} rows, ${distinct} ids`);
  if (quarantined > 0) wrong.push(`${quarantined} records in the quarantine`);
  return findingOf("I4", n, "rows", wrong);
}
