import { firstIdAt } from "@sluice/core/ids";
import { ensurePartitionFor } from "@sluice/db/partitions";
import type pg from "pg";
import { copyIn } from "./copy-in.ts";
import { type SkewedLogOptions, skewedColumns, skewedId, skewedRows } from "./skewed-log.ts";

const DAY_MS = 86_400_000;

/** What a skewed log spans: the time up to now. */
export type SkewedLog = Omit<SkewedLogOptions, "fromMs" | "toMs"> & { days: number };

/** Fills an empty `requests` by COPY with {@link skewedRows}, analysed. Indexes are made afterwards, as a restore does. */
export async function seedSkewedLog(pool: pg.Pool, log: SkewedLog): Promise<void> {
  const toMs = Date.now();
  const fromMs = toMs - log.days * DAY_MS;
  for (let ms = fromMs; ms < toMs + DAY_MS; ms += DAY_MS) await ensurePartitionFor(pool, firstIdAt(ms));
  await withOwnSettings(pool, async (client) => {
    const indexes = await dropIndexes(client);
    await copyIn(client, `COPY requests (${skewedColumns}) FROM STDIN`, skewedRows({ ...log, fromMs, toMs }));
    for (const index of indexes) await client.query(index);
    await client.query("SELECT setval('requests_settled_seq', $1)", [log.rows]);
    await client.query("VACUUM (ANALYZE) requests");
  });
}

/** What settling the rows of {@link seedSkewedLog} would have left: rollups and totals; and the users, keys and providers. */
export async function seedSkewedSums(pool: pg.Pool, log: SkewedLog): Promise<void> {
  await withOwnSettings(pool, async (client) => {
    await seedOwners(client, log);
    await seedRollups(client);
    await seedUsageSums(client);
    await seedTotals(client);
    await client.query(
      "VACUUM (ANALYZE) rollups_5m, rollups_hour, rollups_day, usage_sums, key_days, key_totals, user_totals, keys, users",
    );
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

/** Takes the secondary indexes of `requests` away; resolves with the statements that make them again. */
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

/** What the rows leave in the rollups: columns in front of the bucket, and the sums. */
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

/** Five minutes are kept for a week. */
async function seedRollups(client: pg.PoolClient): Promise<void> {
  const classed = dimensions.replace("status_class", `${statusClass} AS status_class`);
  const fromRows = (bucket: string) => `SELECT ${classed}, ${bucket} AS bucket, ${Object.values(sums).join(", ")} FROM requests`;
  const grouped = "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9";
  const hours = Object.keys(sums).map((name) => `sum(${name})`);
  const sources = {
    rollups_hour: `${fromRows("date_trunc('hour', started_at, 'UTC')")} ${grouped} ORDER BY bucket`,
    rollups_5m: `${fromRows("date_bin('5 minutes', started_at, '2000-01-01T00:00:00Z'::timestamptz)")}
      WHERE id >= '${firstIdAt(Date.now() - 7 * DAY_MS)}' ${grouped} ORDER BY bucket`,
    rollups_day: `SELECT ${dimensions}, date_trunc('day', bucket, 'UTC') AS day, ${hours.join(", ")} FROM rollups_hour ${grouped} ORDER BY day`,
  };
  for (const [table, source] of Object.entries(sources)) {
    // The key is nine columns wide: made once at the end it costs a third.
    await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_pkey`);
    await client.query(`INSERT INTO ${table} (${dimensions}, bucket, ${names}) ${source}`);
    await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (tenant_id, bucket, ${dimensions.replace("tenant_id, ", "")})`);
  }
}

const endings = Object.fromEntries(
  ["3xx", "4xx", "5xx", "aborted", "refused"].map((name) => [
    `requests_${name}`,
    `coalesce(sum(requests) FILTER (WHERE status_class = '${name}'), 0)`,
  ]),
);

const kinds = [
  ["model", "model"],
  ["provider", "provider_id"],
  ["group", '"group"'],
  ["dialect", "dialect"],
  ["status", "status_class"],
] as const;

async function seedUsageSums(client: pg.PoolClient): Promise<void> {
  const totals = {
    ...Object.fromEntries(Object.keys(sums).map((name) => [name, `sum(${name})`])),
    ttft_sketch: "0",
    duration_sketch: "0",
    ...endings,
  };
  for (const [grain, table] of [
    ["5m", "rollups_5m"],
    ["hour", "rollups_hour"],
    ["day", "rollups_day"],
  ]) {
    await client.query(
      `INSERT INTO usage_sums (tenant_id, grain, kind, bucket, id, ${Object.keys(totals).join(", ")})
       SELECT tenant_id, '${grain}', CASE ${kinds.map(([kind, column]) => `WHEN GROUPING(${column}) = 0 THEN '${kind}'`).join(" ")} ELSE '' END AS kind,
         bucket, coalesce(${kinds.map(([, column]) => column).join(", ")}, '') AS id, ${Object.values(totals).join(", ")}
       FROM ${table} GROUP BY GROUPING SETS ((tenant_id, bucket), ${kinds.map(([, column]) => `(tenant_id, bucket, ${column})`).join(", ")})
       ORDER BY kind, bucket, id`,
    );
  }
}

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
const rankedSql = Object.entries(rankedSums)
  .map(([name, sum]) => `${sum} AS ${name}`)
  .join(", ");

/** In all, by the day, and since the moments that the migration set. */
async function seedTotals(client: pg.PoolClient): Promise<void> {
  const used = `sum(${tokens.join(" + ")})`;
  const recent = ["24h", "7d", "30d"].flatMap((range) => {
    const isIn = `FILTER (WHERE bucket >= (SELECT begins_at FROM recent_windows WHERE range = '${range}')`;
    return [
      [`requests_${range}`, `sum(requests) ${isIn})`],
      [`errors_${range}`, `sum(requests) ${isIn} AND status_class IN ('4xx', '5xx'))`],
      [`tokens_${range}`, `${used} ${isIn})`],
      [`cost_nano_usd_${range}`, `sum(cost_nano_usd) ${isIn})`],
    ] as const;
  });
  await client.query(
    `INSERT INTO key_days (tenant_id, bucket, user_id, key_id, ${Object.keys(rankedSums).join(", ")})
     SELECT tenant_id, bucket, user_id::uuid, key_id::uuid, ${rankedSql} FROM rollups_day GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
  );
  for (const owner of ["key", "user"] as const) {
    await client.query(
      `UPDATE ${owner}_totals t SET ${Object.keys(rankedSums)
        .map((name) => `${name} = s.${name}`)
        .join(", ")}, last_used_at = s.used
       FROM (SELECT ${owner}_id AS id, ${rankedSql}, max(bucket) AS used FROM rollups_day GROUP BY 1) AS s WHERE t.${owner}_id::text = s.id`,
    );
    await client.query(
      `UPDATE ${owner}_totals t SET ${recent.map(([name]) => `${name} = coalesce(s.${name}, 0)`).join(", ")}
       FROM (SELECT ${owner}_id AS id, ${recent.map(([name, sum]) => `${sum} AS ${name}`).join(", ")} FROM rollups_hour
         WHERE bucket >= now() - interval '31 days' GROUP BY 1) AS s WHERE t.${owner}_id::text = s.id`,
    );
  }
}
