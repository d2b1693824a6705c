import { firstIdAt } from "@sluice/core/ids";
import { ensurePartitionFor, listPartitions } from "@sluice/db/partitions";
import type pg from "pg";
import { copyIn } from "./copy-in.ts";
import { type SkewedLogOptions, skewedColumns, skewedId, skewedRows } from "./skewed-log.ts";

const DAY_MS = 86_400_000;

/** A skewed log of the given number of days up to now. */
export type SkewedLog = Omit<SkewedLogOptions, "fromMs" | "toMs"> & { days: number };

/**
 * Fills an empty `requests` with {@link skewedRows} by COPY, and analyses it. Indexes are created afterwards, as a restore does, and the
 * tables are unlogged: after a crash one seeds again.
 */
export async function seedSkewedLog(pool: pg.Pool, log: SkewedLog): Promise<void> {
  const toMs = Date.now();
  const fromMs = toMs - log.days * DAY_MS;
  for (let ms = fromMs; ms < toMs + DAY_MS; ms += DAY_MS) await ensurePartitionFor(pool, firstIdAt(ms));
  const partitions = (await listPartitions(pool)).filter(({ table }) => table === "requests");
  await withOwnSettings(pool, async (client) => {
    for (const { name } of partitions) await client.query(`ALTER TABLE partitions.${name} SET UNLOGGED`);
    const indexes = await dropIndexes(client);
    await copyIn(client, `COPY requests (${skewedColumns}) FROM STDIN`, skewedRows({ ...log, fromMs, toMs }));
    for (const index of indexes) await client.query(index);
    await client.query("SELECT setval('requests_settled_seq', $1)", [log.rows]);
    await client.query("VACUUM (ANALYZE) requests");
  });
}

/** The rollups and totals that settling the rows of {@link seedSkewedLog} would produce, with the users, keys and providers. */
export async function seedSkewedSums(pool: pg.Pool, log: SkewedLog): Promise<void> {
  await withOwnSettings(pool, (client) => seedOwners(client, log));
  await seedRollups(pool, log);
  await withOwnSettings(pool, async (client) => {
    await seedMonths(client);
    await seedTotals(client);
    await client.query(`VACUUM (ANALYZE) ${sumsTables.join(", ")}, key_totals, user_totals, keys, users`);
  });
}

async function withOwnSettings(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'");
    await work(client);
  } finally {
    client.release(true);
  }
}

/** Drops the secondary indexes of `requests`; resolves with the statements that create them again. */
async function dropIndexes(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string; sql: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS sql FROM pg_index
     WHERE indrelid = 'requests'::regclass AND NOT indisprimary`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return rows.map(({ sql }) => sql.replace(" ON ONLY ", " ON "));
}

async function seedOwners(client: pg.PoolClient, { users, keysPerUser, providers }: SkewedLog): Promise<void> {
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
  const userIds = numbers(users).map((n) => skewedId("user", n));
  const keyIds = numbers(users * keysPerUser).map((n) => skewedId("key", n));
  await client.query(
    `INSERT INTO users (id, email, name, updated_at) SELECT id, n || '@example.com', 'User ' || n, now()
     FROM unnest($1::uuid[]) WITH ORDINALITY AS one(id, n)`,
    [userIds],
  );
  await client.query(
    `INSERT INTO keys (id, user_id, name, sha256, preview, updated_at)
     SELECT id, ($2::uuid[])[(n - 1) / $3 + 1], 'key ' || n, encode(sha256(id::text::bytea), 'hex'), 'sk-sluice-' || n, now()
     FROM unnest($1::uuid[]) WITH ORDINALITY AS one(id, n)`,
    [keyIds, userIds, keysPerUser],
  );
  await client.query(
    `INSERT INTO providers (id, name, dialect, base_url, secret, serves, groups, models, updated_at)
     SELECT id, 'provider ' || n, 'openai', 'http://127.0.0.1', '', '{chat}', '{default}', '{}', now() FROM unnest($1::uuid[]) WITH ORDINALITY AS one(id, n)`,
    [numbers(providers).map((n) => skewedId("provider", n))],
  );
}

/** The rollups' columns: dimensions beside the bucket, and sums. */
const dimensions = `tenant_id, user_id, key_id, provider_id, model, "group", dialect, status_class`;
const statusClass = `CASE WHEN state IN ('aborted', 'refused') THEN state WHEN status >= 500 THEN '5xx' WHEN status >= 400 THEN '4xx' ELSE '2xx' END`;
const tokens = ["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"];
const sums: Record<string, string> = {
  requests: "count(*)",
  billable_requests: "count(*) FILTER (WHERE billable)",
  ...Object.fromEntries(tokens.map((name) => [name, `sum(${name})`])),
  cost_nano_usd: "coalesce(sum(cost_nano_usd), 0)",
  upstream_cost_nano_usd: "sum(upstream_cost_nano_usd)",
  ttft_count: "count(ttft_ms)",
  ttft_ms_sum: "coalesce(sum(ttft_ms), 0)",
  duration_ms_sum: "sum(duration_ms)",
};
const names = Object.keys(sums).join(", ");

const endings = Object.fromEntries(
  ["3xx", "4xx", "5xx", "aborted", "refused"].map((name) => [
    `requests_${name}`,
    `coalesce(sum(requests) FILTER (WHERE status_class = '${name}'), 0)`,
  ]),
);
const usageTotals = {
  ...Object.fromEntries(Object.keys(sums).map((name) => [name, `sum(${name})`])),
  ttft_sketch: "0",
  duration_sketch: "0",
  ...endings,
};
const kinds = [
  ["model", "model"],
  ["provider", "provider_id"],
  ["group", '"group"'],
  ["dialect", "dialect"],
  ["status", "status_class"],
] as const;

const rankedSums = {
  requests: "sum(requests)",
  total_tokens: `sum(${tokens.join(" + ")})`,
  cost_nano_usd: "sum(cost_nano_usd)",
  errors: "coalesce(sum(requests) FILTER (WHERE status_class IN ('4xx', '5xx')), 0)",
  ended_requests: "coalesce(sum(requests) FILTER (WHERE status_class NOT IN ('aborted', 'refused')), 0)",
  prompt_tokens: `sum(${tokens.filter((name) => name !== "output_tokens").join(" + ")})`,
  cache_read_tokens: "sum(cache_read_tokens)",
  ttft_count: "sum(ttft_count)",
  ttft_ms_sum: "sum(ttft_ms_sum)",
};
const rankedNames = Object.keys(rankedSums).join(", ");
/** Additional columns of key_days. */
const shownSums = {
  aborted_requests: "coalesce(sum(requests) FILTER (WHERE status_class = 'aborted'), 0)",
  cache_write_tokens: "sum(cache_write_5m_tokens + cache_write_1h_tokens)",
  duration_ms_sum: "sum(duration_ms_sum)",
  measured_requests: "sum(requests)",
};
const columnsOf = (sums: Record<string, string>): string =>
  Object.entries(sums)
    .map(([name, sum]) => `${sum} AS ${name}`)
    .join(", ");
const daySums = { ...rankedSums, ...shownSums };

const grains = [
  ["5m", "rollups_5m", "date_bin('5 minutes', started_at, '2000-01-01T00:00:00Z'::timestamptz)"],
  ["hour", "rollups_hour", "date_trunc('hour', started_at, 'UTC')"],
  ["day", "rollups_day", "date_trunc('day', started_at, 'UTC')"],
] as const;
type Grain = (typeof grains)[number];
const sumsTables = [...grains.map(([, table]) => table), "usage_sums", "key_days", "key_months"];
/** Five-minute sums are kept for a week. */
const FINE_DAYS = 7;
/** Even a small machine has this many processors. */
const CONNECTIONS = 2;

/** Day by day, so that the groups fit into memory. */
async function seedRollups(pool: pg.Pool, { days }: SkewedLog): Promise<void> {
  for (const table of sumsTables) await pool.query(`ALTER TABLE ${table} SET UNLOGGED`);
  // The primary keys have nine columns: creating them once at the end costs a third.
  for (const [, table] of grains) await pool.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_pkey`);
  const today = Math.floor(Date.now() / DAY_MS);
  const wanted = Array.from({ length: days + 1 }, (_, ago) => today - days + ago).values();
  await onEach(pool, wanted, async (client, day) => {
    for (const grain of grains) if (grain[0] !== "5m" || day >= today - FINE_DAYS) await client.query(daySql(grain, day * DAY_MS));
  });
  await onEach(pool, grains.values(), async (client, [, table]) => {
    await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (tenant_id, bucket, ${dimensions.replace("tenant_id, ", "")})`);
  });
}

/** Processes each item once, on whichever connection is free. */
async function onEach<T>(
  pool: pg.Pool,
  items: IterableIterator<T>,
  work: (client: pg.PoolClient, item: T) => Promise<void>,
): Promise<void> {
  const one = () =>
    withOwnSettings(pool, async (client) => {
      for (const item of items) await work(client, item);
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
}

/** All sums of one grain for the rows of a day, as settling writes them, from a single grouping. */
function daySql([grain, table, bucket]: Grain, fromMs: number): string {
  const classed = dimensions.replace("status_class", `${statusClass} AS status_class`);
  const kind = kinds.map(([name, column]) => `WHEN GROUPING(${column}) = 0 THEN '${name}'`).join(" ");
  const keyDays = `, of_keys AS (INSERT INTO key_days (tenant_id, bucket, user_id, key_id, ${Object.keys(daySums).join(", ")})
    SELECT tenant_id, bucket, user_id::uuid, key_id::uuid, ${columnsOf(daySums)} FROM sums GROUP BY 1, 2, 3, 4)`;
  return `WITH sums AS MATERIALIZED (SELECT ${classed}, ${bucket} AS bucket, ${columnsOf(sums)} FROM requests
      WHERE id >= '${firstIdAt(fromMs)}' AND id < '${firstIdAt(fromMs + DAY_MS)}' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9),
    rolled AS (INSERT INTO ${table} (${dimensions}, bucket, ${names}) SELECT ${dimensions}, bucket, ${names} FROM sums)${grain === "day" ? keyDays : ""}
    INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, ${Object.keys(usageTotals).join(", ")})
    SELECT tenant_id, '${grain}', CASE ${kind} ELSE '' END, bucket, coalesce(${kinds.map(([, column]) => column).join(", ")}, ''),
      ${Object.values(usageTotals).join(", ")}
    FROM sums GROUP BY GROUPING SETS ((tenant_id, bucket), ${kinds.map(([, column]) => `(tenant_id, bucket, ${column})`).join(", ")})`;
}

/** Sums by key and month, and beside them those of everything, which tell whether a month is complete. */
async function seedMonths(client: pg.PoolClient): Promise<void> {
  const month = "date_trunc('month', bucket, 'UTC')";
  const sumsOf = (names: readonly string[]): string => names.map((name) => `sum(${name})`).join(", ");
  await client.query(`INSERT INTO key_months (tenant_id, bucket, user_id, key_id, ${rankedNames})
    SELECT tenant_id, ${month}, user_id, key_id, ${sumsOf(Object.keys(rankedSums))} FROM key_days GROUP BY 1, 2, 3, 4`);
  const names = Object.keys(usageTotals);
  await client.query(`INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, ${names.join(", ")})
    SELECT tenant_id, 'month', '', ${month}, '', ${sumsOf(names)} FROM usage_sums WHERE grain = 'day' AND kind = '' GROUP BY 1, 4`);
}

/** Totals of all time, and since the times set by the migration. */
async function seedTotals(client: pg.PoolClient): Promise<void> {
  const used = `sum(${tokens.join(" + ")})`;
  const recent = Object.fromEntries(
    ["24h", "7d", "30d"].flatMap((range) => {
      const isIn = `FILTER (WHERE bucket >= (SELECT begins_at FROM recent_windows WHERE range = '${range}')`;
      return [
        [`requests_${range}`, `sum(requests) ${isIn})`],
        [`errors_${range}`, `sum(requests) ${isIn} AND status_class IN ('4xx', '5xx'))`],
        [`tokens_${range}`, `${used} ${isIn})`],
        [`cost_nano_usd_${range}`, `sum(cost_nano_usd) ${isIn})`],
      ];
    }),
  );
  const moved = (columns: object, value: (name: string) => string): string =>
    Object.keys(columns)
      .map((name) => `${name} = ${value(name)}`)
      .join(", ");
  for (const owner of ["key", "user"] as const) {
    const summed = Object.keys(rankedSums).map((name) => `sum(${name}) AS ${name}`);
    await client.query(
      `UPDATE ${owner}_totals t SET ${moved(rankedSums, (name) => `s.${name}`)}, last_used_at = s.used
       FROM (SELECT ${owner}_id AS id, ${summed.join(", ")}, max(bucket) AS used FROM key_days GROUP BY 1) AS s WHERE t.${owner}_id = s.id`,
    );
    await client.query(
      `UPDATE ${owner}_totals t SET ${moved(recent, (name) => `coalesce(s.${name}, 0)`)}
       FROM (SELECT ${owner}_id AS id, ${columnsOf(recent)} FROM rollups_hour
         WHERE tenant_id = 'default' AND bucket >= now() - interval '31 days' GROUP BY 1) AS s WHERE t.${owner}_id::text = s.id`,
    );
  }
}
