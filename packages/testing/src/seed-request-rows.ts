import type pg from "pg";

/**
 * Generates `requests` on the server: row i of n is (n - i) × `stepMs` old; 20 users with 2 keys each, 5 providers, 8 models, one session
 * per 50 rows, 1 % failed. Fast enough for tests of plans, and large enough that the planner chooses indexes as on a real table.
 */
export async function seedRequestRows(pool: pg.Pool, rows: number, stepMs: number): Promise<void> {
  const now = Date.now();
  // In batches, each far below the statement timeout of a pool.
  for (let from = 1; from <= rows; from += PIECE) {
    await seedPiece(pool, { from, to: Math.min(rows, from + PIECE - 1), originMs: now - rows * stepMs, stepMs });
  }
  await pool.query("ANALYZE requests");
}

const PIECE = 250_000;

async function seedPiece(pool: pg.Pool, piece: { from: number; to: number; originMs: number; stepMs: number }): Promise<void> {
  await pool.query(
    `INSERT INTO requests (id, settled_seq, tenant_id, user_id, key_id, session_id, provider_id, "group", dialect, endpoint, stream,
       model, upstream_model, state, status, error_code, attempts, input_tokens, output_tokens, cache_write_5m_tokens,
       cache_write_1h_tokens, cache_read_tokens, flags, cost_nano_usd, upstream_cost_nano_usd, price_id, billable, started_at,
       ttft_ms, duration_ms, client, corrects_id)
     SELECT (lpad(to_hex(ms), 12, '0') || '7000' || '8' || lpad(to_hex(i), 15, '0'))::uuid, nextval('requests_settled_seq'), 'default',
       'user-' || i % 20, 'key-' || i % 40, 'session-' || i / 50, 'provider-' || i % 5, 'default', 'openai', 'chat', true,
       'model-' || i % 8, 'model-' || i % 8, CASE WHEN i % 100 = 7 THEN 'error' ELSE 'done' END,
       CASE WHEN i % 100 = 7 THEN 502 ELSE 200 END, '', 1, 100, 20, 0, 0, 0, '{}', 140000, 0, NULL, true,
       to_timestamp(ms / 1000.0), 50, 500, 'seed', NULL
     FROM (SELECT i, $3::bigint + i * $4::bigint AS ms FROM generate_series($1::bigint, $2::bigint) AS i) AS s`,
    [piece.from, piece.to, piece.originMs, piece.stepMs],
  );
}
