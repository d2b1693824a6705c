import { sketchSql } from "@sluice/core/latency-sketch";
import { isUuid, recentColumns, recentFrom, recentRanges, tokens } from "./recent-columns.ts";

/**
 * The statement that adds a batch to rollups and balances. It reads the rows that were actually inserted before it in the same
 * transaction, and only these. The row is the charge: accounts move here too.
 *
 * Day buckets are UTC days: the setting time.zone changes what is shown, not how sums are kept.
 */
const measures = {
  requests: "count(*) FILTER (WHERE corrects_id IS NULL)",
  billable_requests: "count(*) FILTER (WHERE billable AND corrects_id IS NULL)",
  input_tokens: "sum(input_tokens)",
  output_tokens: "sum(output_tokens)",
  cache_write_5m_tokens: "sum(cache_write_5m_tokens)",
  cache_write_1h_tokens: "sum(cache_write_1h_tokens)",
  cache_read_tokens: "sum(cache_read_tokens)",
  cost_nano_usd: "coalesce(sum(cost_nano_usd), 0)",
  upstream_cost_nano_usd: "sum(upstream_cost_nano_usd)",
  // A correction is not measured again.
  ttft_count: "count(ttft_ms) FILTER (WHERE corrects_id IS NULL)",
  ttft_ms_sum: "coalesce(sum(ttft_ms) FILTER (WHERE corrects_id IS NULL), 0)",
  duration_ms_sum: "coalesce(sum(duration_ms) FILTER (WHERE corrects_id IS NULL), 0)",
} as const;

/** Sketches are numbers that add up like the other sums: core/latency-sketch. */
const sketches = {
  ttft_sketch: `coalesce(sum(${sketchSql("ttft_ms")}) FILTER (WHERE corrects_id IS NULL), 0)`,
  duration_sketch: `coalesce(sum(${sketchSql("duration_ms")}) FILTER (WHERE corrects_id IS NULL), 0)`,
} as const;

/** The rollups, each with the expression for its bucket from `started_at` or a finer bucket. UTC. */
export const rollupTables = [
  { grain: "5m", table: "rollups_5m", bucketOf: (at: string) => `date_bin('5 minutes', ${at}, '2000-01-01T00:00:00Z'::timestamptz)` },
  { grain: "hour", table: "rollups_hour", bucketOf: (at: string) => `date_trunc('hour', ${at}, 'UTC')` },
  { grain: "day", table: "rollups_day", bucketOf: (at: string) => `date_trunc('day', ${at}, 'UTC')` },
] as const;

const dayOf = rollupTables[2].bucketOf;
const monthOf = (at: string): string => `date_trunc('month', ${at}, 'UTC')`;

/** `usage_sums` have one dimension and one row for all outcomes, so outcomes are counted in columns. 2xx is the remainder. */
const endings = Object.fromEntries(
  ["3xx", "4xx", "5xx", "aborted", "refused"].map((name) => [
    `requests_${name}`,
    `coalesce(sum(requests) FILTER (WHERE status_class = '${name}'), 0)::bigint`,
  ]),
);

/** The dimension of a row of `usage_sums` and its value, and the grouping of rows by each dimension. */
const dimensionKinds = { model: "model", provider: "provider_id", group: '"group"', dialect: "dialect", status: "status_class" };
export const oneDimension = {
  kinds: ["", ...Object.keys(dimensionKinds)],
  kind: `CASE ${Object.entries(dimensionKinds)
    .map(([kind, column]) => `WHEN GROUPING(${column}) = 0 THEN '${kind}'`)
    .join(" ")} ELSE '' END`,
  id: `coalesce(${Object.values(dimensionKinds).join(", ")}, '')`,
  groups: `GROUPING SETS ((tenant_id, bucket), ${Object.values(dimensionKinds)
    .map((column) => `(tenant_id, bucket, ${column})`)
    .join(", ")})`,
} as const;

/** core/status-class in SQL. */
export const statusClassSql = `CASE WHEN state IN ('aborted', 'refused') THEN state
  WHEN status >= 500 OR (state = 'error' AND status < 400) THEN '5xx'
  WHEN status >= 400 THEN '4xx' WHEN status >= 300 THEN '3xx' ELSE '2xx' END`;

const dimensions = `tenant_id, user_id, key_id, provider_id, model, "group", dialect, status_class`;
const key = `tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class`;

function makeSettleSql(): string {
  const parts = [
    `sums AS (
  SELECT ${dimensions}, ${rollupTables[0].bucketOf("started_at")} AS bucket,
    ${Object.entries(measures)
      // As integers, because Postgres adds these up again in half the time that decimals take.
      .map(([name, sql]) => `(${sql})::bigint AS ${name}`)
      .join(", ")},
    ${Object.entries(sketches)
      .map(([name, sql]) => `${sql} AS ${name}`)
      .join(", ")}, max(started_at) AS used_at
  FROM (SELECT *, ${statusClassSql} AS status_class FROM requests WHERE settled_seq BETWEEN $1 AND $2 AND id >= $3) AS classed
  GROUP BY ${key})`,
    ...rollupTables.map(({ table, bucketOf }) => rollupPart(table, bucketOf("bucket"))),
    byOnePart,
    usageSumsPart(),
    usedPart(),
    keyDaysPart(),
    keyMonthsPart(),
    totalsPart("key_totals", "key_id"),
    totalsPart("user_totals", "user_id"),
    accountsPart,
  ];
  return `WITH ${parts.join(",\n")}\nSELECT`;
}

/** For each measure, the sum over rows that have it already. */
const summed = [
  ...Object.keys(measures).map((name) => ({ name, sum: `sum(${name})::bigint` })),
  ...Object.keys(sketches).map((name) => ({ name, sum: `sum(${name})` })),
];

/** Adds the incoming value of each name to the existing one. */
function added(table: string, names: readonly string[]): string {
  return names.map((name) => `${name} = ${table}.${name} + EXCLUDED.${name}`).join(", ");
}

/** Rows are inserted in key order, so that two sessions without the settle lock would not deadlock. */
function rollupPart(table: string, bucket: string): string {
  const names = summed.map(({ name }) => name);
  // `sums` are five-minute buckets already.
  const isFinest = table === rollupTables[0].table;
  return `${table}_moved AS (
  INSERT INTO ${table} (${key}, ${names.join(", ")})
  SELECT tenant_id, ${isFinest ? "bucket" : `${bucket} AS bucket`}, user_id, key_id, provider_id, model, "group", dialect, status_class,
    ${(isFinest ? names : summed.map(({ sum }) => sum)).join(", ")}
  FROM sums ${isFinest ? "" : "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 "}ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
  ON CONFLICT (${key}) DO UPDATE SET
    ${added(table, names)})`;
}

/** Sums per five minutes of everything, and of each model, provider, group, dialect and outcome. */
const byOnePart = `by_one AS (
  SELECT tenant_id, ${oneDimension.kind} AS kind, bucket, ${oneDimension.id} AS id,
    ${summed.map(({ name, sum }) => `${sum} AS ${name}`).join(", ")},
    ${Object.entries(endings)
      .map(([name, sql]) => `${sql} AS ${name}`)
      .join(", ")}
  FROM sums GROUP BY ${oneDimension.groups})`;

/** Only for the overall row: the sum of what was settled by processes that move `key_months`, which shows whether these are complete. */
export const monthsMoved = { grain: "month", bucketOf: monthOf } as const;

const usageSums = [...summed, ...Object.keys(endings).map((name) => ({ name, sum: `sum(${name})::bigint` }))];
export const usageSumNames = usageSums.map(({ name }) => name);

/** Few rows whatever the batch: as many as there are models, providers and so on in it. */
function usageSumsPart(): string {
  const grains = [...rollupTables, monthsMoved].map(({ grain, bucketOf }) => `('${grain}', ${bucketOf("bucket")})`);
  return `usage_sums_moved AS (
  INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, ${usageSumNames.join(", ")})
  SELECT tenant_id, grain, kind, at, id, ${usageSums.map(({ sum }) => sum).join(", ")}
  FROM by_one CROSS JOIN LATERAL (VALUES ${grains.join(", ")}) AS of(grain, at)
  WHERE grain <> '${monthsMoved.grain}' OR kind = ''
  GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (tenant_id, grain, kind, bucket, id) DO UPDATE SET
    ${added("usage_sums", usageSumNames)})`;
}

/** What keys are ranked by, computed from rollups: for all time in the totals, per day in `key_days`, per month in `key_months`. */
const rankedSums = {
  requests: "sum(requests)",
  total_tokens: `sum(${tokens})`,
  cost_nano_usd: "sum(cost_nano_usd)",
  errors: "coalesce(sum(requests) FILTER (WHERE status_class IN ('4xx', '5xx')), 0)",
  ended_requests: "coalesce(sum(requests) FILTER (WHERE status_class NOT IN ('aborted', 'refused')), 0)",
  prompt_tokens: "sum(input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens)",
  cache_read_tokens: "sum(cache_read_tokens)",
  ttft_count: "sum(ttft_count)",
  ttft_ms_sum: "sum(ttft_ms_sum)",
} as const;
export const rankedNames = Object.keys(rankedSums);

/** Further figures of a key's day, and the number of requests they cover. An older process does not move these (key-months). */
export const shownSums = {
  aborted_requests: "coalesce(sum(requests) FILTER (WHERE status_class = 'aborted'), 0)",
  cache_write_tokens: "sum(cache_write_5m_tokens + cache_write_1h_tokens)",
  duration_ms_sum: "sum(duration_ms_sum)",
  measured_requests: "sum(requests)",
} as const;
const ofDay = [...rankedNames, ...Object.keys(shownSums)];

/**
 * What each key of each user used per day, in total and recently, and whether the ids are ours: the ledger accepts any text, but only
 * our ids have totals and accounts. Built from `sums`, so the ids are matched once per group.
 */
function usedPart(): string {
  const recent = recentRanges.flatMap((range) =>
    Object.entries(recentColumns(range, `bucket >= ${recentFrom(range)}`)).map(([name, sum]) => `${sum} AS ${name}`),
  );
  return `used AS (
  SELECT tenant_id, ${dayOf("bucket")} AS bucket, user_id, key_id, max(used_at) AS used_at, ${isUuid("user_id")} AS of_user, ${isUuid("key_id")} AS of_key,
    ${Object.entries({ ...rankedSums, ...shownSums })
      .map(([name, sum]) => `(${sum})::bigint AS ${name}`)
      .join(", ")}, ${recent.join(", ")}
  FROM sums GROUP BY 1, 2, 3, 4)`;
}

/** One row per key and day: a batch usually falls within one day. */
function keyDaysPart(): string {
  return `key_days_moved AS (
  INSERT INTO key_days (tenant_id, bucket, user_id, key_id, ${ofDay.join(", ")})
  SELECT tenant_id, bucket, user_id::uuid, key_id::uuid, ${ofDay.join(", ")} FROM used WHERE of_user AND of_key ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, bucket, user_id, key_id) DO UPDATE SET ${added("key_days", ofDay)})`;
}

/** One row per key and month, so that ranking ten thousand keys by a month reads ten thousand rows. */
function keyMonthsPart(): string {
  return `key_months_moved AS (
  INSERT INTO key_months (tenant_id, bucket, user_id, key_id, ${rankedNames.join(", ")})
  SELECT tenant_id, ${monthOf("bucket")}, user_id::uuid, key_id::uuid, ${rankedNames.map((name) => `sum(${name})::bigint`).join(", ")}
  FROM used WHERE of_user AND of_key GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, bucket, user_id, key_id) DO UPDATE SET ${added("key_months", rankedNames)})`;
}

/** What a key or a user has used in total and recently. */
function totalsPart(table: "key_totals" | "user_totals", id: "key_id" | "user_id"): string {
  const [owner, ownerUuid] = id === "key_id" ? [", user_id", ", min(user_id)::uuid"] : ["", ""];
  const summedUp = [...rankedNames, ...recentRanges.flatMap((range) => Object.keys(recentColumns(range, "true")))];
  return `${table}_moved AS (
  INSERT INTO ${table} (${id}${owner}, tenant_id, last_used_at, ${summedUp.join(", ")})
  SELECT ${id}::uuid${ownerUuid}, min(tenant_id), max(used_at), ${summedUp.map((name) => `sum(${name})::bigint`).join(", ")}
  FROM used WHERE of_user AND ${id === "key_id" ? "of_key" : "true"} GROUP BY ${id} ORDER BY 1
  ON CONFLICT (${id}) DO UPDATE SET ${added(table, summedUp)},
    last_used_at = greatest(${table}.last_used_at, EXCLUDED.last_used_at))`;
}

/**
 * The cost is subtracted from the balance, or counted as postpaid usage when the user is on postpaid terms now. It is never
 * refused: an admitted request is always booked, even below the floor. A missing account is created as a postpaid one.
 */
const accountsPart = `accounts_moved AS (
  INSERT INTO accounts (user_id, tenant_id, postpaid_nano_usd)
  SELECT user_id::uuid, min(tenant_id), sum(cost_nano_usd)::bigint FROM used WHERE of_user GROUP BY user_id HAVING sum(cost_nano_usd) <> 0 ORDER BY 1
  ON CONFLICT (user_id) DO UPDATE SET
    balance_nano_usd = accounts.balance_nano_usd - CASE accounts.billing WHEN 'postpaid' THEN 0 ELSE EXCLUDED.postpaid_nano_usd END,
    postpaid_nano_usd = accounts.postpaid_nano_usd + CASE accounts.billing WHEN 'postpaid' THEN EXCLUDED.postpaid_nano_usd ELSE 0 END)`;

/**
 * Which of these ids (in order) have rows already, and the first of as many new settled_seq; to be run under the settle lock. Checking per
 * row (ON CONFLICT) costs a tenth more. The first id serves as a bound that prunes earlier partitions (an array alone prunes none).
 */
export const knownSql = `SELECT ARRAY(SELECT id::text FROM requests WHERE id = ANY($1) AND id >= ($1::uuid[])[1]) AS known,
  (SELECT min(nextval('requests_settled_seq')) FROM generate_series(1, $2::int)) AS first_seq`;

/** Parameters: the first and last settled_seq of the batch, and its lowest id, which prunes earlier partitions. */
export const settleSql = makeSettleSql();

/** Names of the prepared statements on each connection; a changed text needs a new name. */
export const KNOWN_NAME = "sluice_known_1";
export const SETTLE_NAME = "sluice_settle_13";
