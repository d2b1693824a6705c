import type { FinishRecord } from "@sluice/ledger/records";
import { rollupTables, statusClassSql } from "@sluice/ledger/settle-statement";
import type pg from "pg";

/**
 * The design that the ledger replaced: a row is inserted when a request begins, updated when it ends, and a row trigger updates the same
 * three rollups. It has the same columns, indexes and details (in the row, as at the time), and no partitions.
 */
export async function createOlderDesign(pool: pg.Pool): Promise<void> {
  const key = `tenant_id, bucket, user_id, key_id, provider_id, model, "group", dialect, status_class`;
  const measures = ["input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens"];
  const sums = ["requests", "billable_requests", ...measures, "cost_nano_usd", "upstream_cost_nano_usd"];
  const classSql = statusClassSql.replaceAll("state", "NEW.state").replaceAll("status ", "NEW.status ");
  const upserts = rollupTables.map(
    ({ table, bucketOf }) => `INSERT INTO older_${table} (${key}, ${sums.join(", ")})
      VALUES (NEW.tenant_id, ${bucketOf("NEW.started_at")}, NEW.user_id, NEW.key_id, NEW.provider_id, NEW.model, NEW."group", NEW.dialect,
        ${classSql}, 1, NEW.billable::int, ${measures.map((name) => `NEW.${name}`).join(", ")}, coalesce(NEW.cost_nano_usd, 0), NEW.upstream_cost_nano_usd)
      ON CONFLICT (${key}) DO UPDATE SET ${sums.map((name) => `${name} = older_${table}.${name} + EXCLUDED.${name}`).join(", ")};`,
  );
  await pool.query(`CREATE TABLE older_requests (LIKE requests INCLUDING DEFAULTS, detail jsonb);
    ALTER TABLE older_requests ADD PRIMARY KEY (id);
    CREATE INDEX ON older_requests (user_id, id DESC);
    CREATE INDEX ON older_requests (key_id, id DESC);
    CREATE INDEX ON older_requests (provider_id, id DESC);
    CREATE INDEX ON older_requests (session_id, id DESC);
    CREATE INDEX ON older_requests (model, id DESC);
    CREATE INDEX ON older_requests (settled_seq);
    CREATE INDEX ON older_requests (id DESC) WHERE state IN ('error', 'refused');
    ${rollupTables.map(({ table }) => `CREATE TABLE older_${table} (LIKE ${table} INCLUDING ALL) WITH (fillfactor = 80);`).join("\n")}
    CREATE FUNCTION older_move() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN ${upserts.join("\n")} RETURN NULL; END $$;
    CREATE TRIGGER older_move AFTER UPDATE ON older_requests FOR EACH ROW
      WHEN (OLD.state = 'in_flight' AND NEW.state <> 'in_flight') EXECUTE FUNCTION older_move();`);
}

const insert = {
  name: "older_insert",
  text: `INSERT INTO older_requests (id, settled_seq, tenant_id, user_id, key_id, session_id, provider_id, "group", dialect, endpoint, stream,
      model, upstream_model, state, status, error_code, attempts, input_tokens, output_tokens, cache_write_5m_tokens,
      cache_write_1h_tokens, cache_read_tokens, flags, cost_nano_usd, upstream_cost_nano_usd, price_id, billable, started_at, ttft_ms,
      duration_ms, client, corrects_id)
    SELECT id, 0, 'default', user_id, key_id, session_id, '', 'default', dialect, endpoint, stream, model, '', 'in_flight', 0, '', 0, 0, 0, 0,
      0, 0, '{}', NULL, 0, NULL, true, started_at::timestamptz, NULL, 0, client, NULL
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[])
      AS t(id, user_id, key_id, session_id, dialect, endpoint, stream, model, started_at, client)`,
};

const update = {
  name: "older_update",
  text: `UPDATE older_requests r SET provider_id = t.provider_id, upstream_model = t.upstream_model, state = t.state, status = t.status,
      error_code = t.error_code, attempts = 1, input_tokens = t.input, output_tokens = t.output, cache_read_tokens = t.cache_read,
      cost_nano_usd = t.cost, upstream_cost_nano_usd = t.upstream_cost, ttft_ms = t.ttft_ms, duration_ms = t.duration_ms,
      detail = t.detail::jsonb
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
      $10::bigint[], $11::bigint[], $12::int[], $13::int[], string_to_array($14, chr(30)))
      AS t(id, provider_id, upstream_model, state, status, error_code, input, output, cache_read, cost, upstream_cost, ttft_ms, duration_ms, detail)
    WHERE r.id = t.id`,
};

/** Begins and ends these requests; each statement is its own transaction, as a request handler would run it. */
export async function writeOlder(client: pg.ClientBase, ends: readonly FinishRecord[]): Promise<void> {
  const rows = ends.map((end) => end.row);
  const of = <T>(pick: (row: (typeof rows)[number]) => T): T[] => rows.map(pick);
  await client.query({
    ...insert,
    values: [
      ...[of((r) => r.id), of((r) => r.userId), of((r) => r.keyId), of((r) => r.sessionId), of((r) => r.dialect), of((r) => r.endpoint)],
      ...[of((r) => r.stream), of((r) => r.model), of((r) => new Date(r.startedAtMs).toISOString()), of((r) => r.client)],
    ],
  });
  await client.query({
    ...update,
    values: [
      ...[of((r) => r.id), of((r) => r.providerId), of((r) => r.upstreamModel), of((r) => r.state), of((r) => r.status)],
      ...[of((r) => r.errorCode), of((r) => r.usage.input), of((r) => r.usage.output), of((r) => r.usage.cacheRead)],
      ...[of((r) => r.costNanoUsd), ends.map((end) => end.upstreamCostNanoUsd), of((r) => r.ttftMs), of((r) => r.durationMs)],
      ends.map((end) => JSON.stringify(end.detail)).join("\u001e"),
    ],
  });
}
