import { sketchSql } from "@sluice/core/latency-sketch";
import { isUuid, recentColumns, recentFrom, recentRanges, tokens } from "./recent-columns.ts";
import { detailJsonOf, type SettledRecord } from "./settled-record.ts";

/**
 * The one statement that settles a batch: rows, details, rollups and balances, and from what was really inserted alone. A
 * row that is there already moves nothing, so any batch may be sent again. The row is the charge: accounts move here too.
 *
 * Day buckets are UTC days: the setting time.zone changes what is shown, not how sums are kept.
 */
interface Column {
  name: string;
  /** What it travels as. */
  type: string;
  /** What is made of it there. */
  sql?: string;
  /** Text needs quoting in an array literal. */
  quoted?: true;
  of(record: SettledRecord): string | number | boolean | null;
}

const columns: readonly Column[] = [
  { name: "id", type: "uuid", of: ({ row }) => row.id },
  { name: "tenant_id", type: "text", quoted: true, of: ({ row }) => row.tenantId },
  { name: "user_id", type: "text", quoted: true, of: ({ row }) => row.userId },
  { name: "key_id", type: "text", quoted: true, of: ({ row }) => row.keyId },
  { name: "session_id", type: "text", quoted: true, of: ({ row }) => row.sessionId },
  { name: "provider_id", type: "text", quoted: true, of: ({ row }) => row.providerId },
  { name: "group", type: "text", quoted: true, of: ({ row }) => row.group },
  { name: "dialect", type: "text", quoted: true, of: ({ row }) => row.dialect },
  { name: "endpoint", type: "text", quoted: true, of: ({ row }) => row.endpoint },
  { name: "stream", type: "boolean", of: ({ row }) => row.stream },
  { name: "model", type: "text", quoted: true, of: ({ row }) => row.model },
  { name: "upstream_model", type: "text", quoted: true, of: ({ row }) => row.upstreamModel },
  { name: "state", type: "text", quoted: true, of: ({ row }) => row.state },
  { name: "status", type: "smallint", of: ({ row }) => row.status },
  { name: "error_code", type: "text", quoted: true, of: ({ row }) => row.errorCode },
  { name: "attempts", type: "smallint", of: ({ row }) => row.attempts },
  { name: "input_tokens", type: "bigint", of: ({ row }) => row.usage.input },
  { name: "output_tokens", type: "bigint", of: ({ row }) => row.usage.output },
  { name: "cache_write_5m_tokens", type: "bigint", of: ({ row }) => row.usage.cacheWrite5m },
  { name: "cache_write_1h_tokens", type: "bigint", of: ({ row }) => row.usage.cacheWrite1h },
  { name: "cache_read_tokens", type: "bigint", of: ({ row }) => row.usage.cacheRead },
  // An array of arrays would be flattened by unnest: each row's flags travel as the text of an array.
  { name: "flags", type: "text", sql: `"flags"::text[]`, quoted: true, of: ({ row }) => `{${row.flags.join(",")}}` },
  { name: "cost_nano_usd", type: "bigint", of: ({ row }) => row.costNanoUsd },
  { name: "upstream_cost_nano_usd", type: "bigint", of: (record) => record.upstreamCostNanoUsd },
  { name: "price_id", type: "uuid", of: ({ detail }) => detail.priceId },
  { name: "provider_multiplier", type: "numeric", of: ({ detail }) => detail.cost?.providerMultiplier ?? null },
  { name: "group_multiplier", type: "numeric", of: ({ detail }) => detail.cost?.groupMultiplier ?? null },
  { name: "billable", type: "boolean", of: ({ row }) => row.billable },
  // As a number: to write dates and to read them costs more than all other numbers of a row together.
  { name: "started_at", type: "bigint", sql: `to_timestamp("started_at" / 1000::float8)`, of: ({ row }) => Math.trunc(row.startedAtMs) },
  { name: "ttft_ms", type: "integer", of: ({ row }) => rounded(row.ttftMs) },
  { name: "duration_ms", type: "integer", of: ({ row }) => rounded(row.durationMs) ?? 0 },
  { name: "client", type: "text", quoted: true, of: ({ row }) => row.client },
  { name: "corrects_id", type: "uuid", of: ({ row }) => row.correctsId },
];

/** Never inside JSON text, which escapes control characters: details travel as one string, cut at this. */
const SEPARATOR = "\u001e";

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

/** Numbers too, which add up as the sums do: core/latency-sketch. */
const sketches = {
  ttft_sketch: `coalesce(sum(${sketchSql("ttft_ms")}) FILTER (WHERE corrects_id IS NULL), 0)`,
  duration_sketch: `coalesce(sum(${sketchSql("duration_ms")}) FILTER (WHERE corrects_id IS NULL), 0)`,
} as const;

/** The rollups, each with its bucket of the column `started_at` or of a finer bucket. UTC. */
export const rollupTables = [
  { grain: "5m", table: "rollups_5m", bucketOf: (at: string) => `date_bin('5 minutes', ${at}, '2000-01-01T00:00:00Z'::timestamptz)` },
  { grain: "hour", table: "rollups_hour", bucketOf: (at: string) => `date_trunc('hour', ${at}, 'UTC')` },
  { grain: "day", table: "rollups_day", bucketOf: (at: string) => `date_trunc('day', ${at}, 'UTC')` },
] as const;

const dayOf = rollupTables[2].bucketOf;
const monthOf = (at: string): string => `date_trunc('month', ${at}, 'UTC')`;

/** `usage_sums` are by one dimension, a row for all kinds of ends: how many ended how is counted there. 2xx are the rest. */
const endings = Object.fromEntries(
  ["3xx", "4xx", "5xx", "aborted", "refused"].map((name) => [
    `requests_${name}`,
    `coalesce(sum(requests) FILTER (WHERE status_class = '${name}'), 0)::bigint`,
  ]),
);

/** The dimension of a row of `usage_sums` and its value, and how rows with both are grouped to it. */
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

/** What the rest of the statement may read of the rows that were really inserted. */
const returned = `id, tenant_id, user_id, key_id, provider_id, model, "group", dialect, state, status, billable, corrects_id,
    started_at, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, cost_nano_usd,
    upstream_cost_nano_usd, ttft_ms, duration_ms`;

function makeSettleSql(): string {
  const names = columns.map(({ name }) => `"${name}"`);
  const selected = columns.map(({ name, sql }) => sql ?? `"${name}"`);
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`);
  const parts = [
    // The settle lock is held: none can come between. A row that looks for its like by itself (ON CONFLICT) costs a tenth more.
    // Ids are in order: with the first as a bound, partitions before it are not looked at (of an array none is left out).
    "known AS MATERIALIZED (SELECT id FROM requests WHERE id = ANY($1) AND id >= ($1::uuid[])[1])",
    `ins AS (
  INSERT INTO requests (settled_seq, ${names.join(", ")})
  SELECT nextval('requests_settled_seq'), ${selected.join(", ")}
  FROM unnest(${arrays.join(", ")}) AS batch(${names.join(", ")})
  WHERE NOT EXISTS (SELECT FROM known WHERE known.id = batch.id)
  RETURNING ${returned})`,
    `details AS (
  INSERT INTO request_details (id, detail)
  SELECT id, batch.detail::json
  FROM unnest($1::uuid[], string_to_array($${columns.length + 1}, chr(30))) AS batch(id, detail) JOIN ins USING (id)
  ON CONFLICT (id) DO NOTHING)`,
    `sums AS (
  SELECT ${dimensions}, ${rollupTables[0].bucketOf("started_at")} AS bucket,
    ${Object.entries(measures)
      // Whole numbers: Postgres adds these up again in half the time of decimals.
      .map(([name, sql]) => `(${sql})::bigint AS ${name}`)
      .join(", ")},
    ${Object.entries(sketches)
      .map(([name, sql]) => `${sql} AS ${name}`)
      .join(", ")}, max(started_at) AS used_at
  FROM (SELECT ins.*, ${statusClassSql} AS status_class FROM ins) AS classed
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
  return `WITH ${parts.join(",\n")}\nSELECT count(*)::int AS inserted FROM ins`;
}

/** Of each measure the sum of rows that have it. */
const summed = [
  ...Object.keys(measures).map((name) => ({ name, sum: `sum(${name})::bigint` })),
  ...Object.keys(sketches).map((name) => ({ name, sum: `sum(${name})` })),
];

/** `name` of the row there and of the one that comes, added. */
function added(table: string, names: readonly string[]): string {
  return names.map((name) => `${name} = ${table}.${name} + EXCLUDED.${name}`).join(", ");
}

/** Rows go in by key order, so that two sessions that ever met without the lock would not deadlock. */
function rollupPart(table: string, bucket: string): string {
  const names = summed.map(({ name }) => name);
  // `sums` are by five minutes already.
  const isFinest = table === rollupTables[0].table;
  return `${table}_moved AS (
  INSERT INTO ${table} (${key}, ${names.join(", ")})
  SELECT tenant_id, ${isFinest ? "bucket" : `${bucket} AS bucket`}, user_id, key_id, provider_id, model, "group", dialect, status_class,
    ${(isFinest ? names : summed.map(({ sum }) => sum)).join(", ")}
  FROM sums ${isFinest ? "" : "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 "}ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
  ON CONFLICT (${key}) DO UPDATE SET
    ${added(table, names)})`;
}

/** What all, each model, provider, group, dialect and outcome moved, by five minutes. */
const byOnePart = `by_one AS (
  SELECT tenant_id, ${oneDimension.kind} AS kind, bucket, ${oneDimension.id} AS id,
    ${summed.map(({ name, sum }) => `${sum} AS ${name}`).join(", ")},
    ${Object.entries(endings)
      .map(([name, sql]) => `${sql} AS ${name}`)
      .join(", ")}
  FROM sums GROUP BY ${oneDimension.groups})`;

/** Of everything alone: the sum of all that whoever moves `key_months` settled, by which is known whether these are whole. */
export const monthsMoved = { grain: "month", bucketOf: monthOf } as const;

const usageSums = [...summed, ...Object.keys(endings).map((name) => ({ name, sum: `sum(${name})::bigint` }))];
export const usageSumNames = usageSums.map(({ name }) => name);

/** Few rows, whatever the batch: as many as there are models, providers and so on in it. */
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

/** What keys are ranked by, as rollups give it: of all time in totals, by the day in `key_days`, by the month in `key_months`. */
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

/** What else is shown of a key's day, and of how many requests, which an older process does not move (key-months). */
export const shownSums = {
  aborted_requests: "coalesce(sum(requests) FILTER (WHERE status_class = 'aborted'), 0)",
  cache_write_tokens: "sum(cache_write_5m_tokens + cache_write_1h_tokens)",
  duration_ms_sum: "sum(duration_ms_sum)",
  measured_requests: "sum(requests)",
} as const;
const ofDay = [...rankedNames, ...Object.keys(shownSums)];

/**
 * What each key of each user moved on each day, in all and lately, and whether these ids are ours: the ledger takes any text, but only
 * ours have totals and accounts. Summed up from `sums`, and matched once a group.
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

/** One row a key and day: a batch is of one day, mostly. */
function keyDaysPart(): string {
  return `key_days_moved AS (
  INSERT INTO key_days (tenant_id, bucket, user_id, key_id, ${ofDay.join(", ")})
  SELECT tenant_id, bucket, user_id::uuid, key_id::uuid, ${ofDay.join(", ")} FROM used WHERE of_user AND of_key ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, bucket, user_id, key_id) DO UPDATE SET ${added("key_days", ofDay)})`;
}

/** One row a key and month, so that who used most of ten thousand keys in a month is ten thousand rows. */
function keyMonthsPart(): string {
  return `key_months_moved AS (
  INSERT INTO key_months (tenant_id, bucket, user_id, key_id, ${rankedNames.join(", ")})
  SELECT tenant_id, ${monthOf("bucket")}, user_id::uuid, key_id::uuid, ${rankedNames.map((name) => `sum(${name})::bigint`).join(", ")}
  FROM used WHERE of_user AND of_key GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, bucket, user_id, key_id) DO UPDATE SET ${added("key_months", rankedNames)})`;
}

/** What a key or a user has used in all, and lately. */
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
 * What was used is taken from the balance, or counted as used on postpaid terms when these are the user's now. Never
 * refused: what was admitted is booked, also below the floor. An account that is missing begins as a postpaid one.
 */
const accountsPart = `accounts_moved AS (
  INSERT INTO accounts (user_id, tenant_id, postpaid_nano_usd)
  SELECT user_id::uuid, min(tenant_id), sum(cost_nano_usd)::bigint FROM used WHERE of_user GROUP BY user_id HAVING sum(cost_nano_usd) <> 0 ORDER BY 1
  ON CONFLICT (user_id) DO UPDATE SET
    balance_nano_usd = accounts.balance_nano_usd - CASE accounts.billing WHEN 'postpaid' THEN 0 ELSE EXCLUDED.postpaid_nano_usd END,
    postpaid_nano_usd = accounts.postpaid_nano_usd + CASE accounts.billing WHEN 'postpaid' THEN EXCLUDED.postpaid_nano_usd ELSE 0 END)`;

/** Name under which connections keep the statement prepared; a changed text needs a changed name. */
export const SETTLE_NAME = "sluice_settle_12";
export const settleSql = makeSettleSql();

/** Parameters of {@link settleSql}, of records in the order of their ids. Array literals are built here: the driver's own way costs more than the insert. */
export function settleValues(records: readonly SettledRecord[]): string[] {
  const values = columns.map((column) => arrayLiteral(column, records));
  values.push(records.map(detailJsonOf).join(SEPARATOR));
  return values;
}

function arrayLiteral(column: Column, records: readonly SettledRecord[]): string {
  // Joined at once: a text that grows by pieces is a tree of pieces, tens of thousands of them for a batch.
  const values = records.map((record) => column.of(record));
  if (column.quoted) return `{${values.map((value) => quote(value as string)).join(",")}}`;
  return `{${values.map((value) => value ?? "NULL").join(",")}}`;
}

function quote(text: string): string {
  return text.includes('"') || text.includes("\\") ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`;
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}
