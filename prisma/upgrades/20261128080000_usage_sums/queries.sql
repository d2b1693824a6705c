SELECT "id", "requests", "requests_4xx" + "requests_5xx", "ttft_sketch" FROM "usage_sums" WHERE "tenant_id" = 'default' AND "grain" = 'day' AND "kind" = 'model';
INSERT INTO "usage_sums" AS u ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused") VALUES
  ('default', 'day', 'model', '2025-11-20 00:00:00+00', 'gpt-test', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
  ON CONFLICT ("tenant_id", "grain", "kind", "bucket", "id") DO UPDATE SET "requests" = u."requests" + EXCLUDED."requests";
UPDATE "key_totals" SET "requests_24h" = "requests_24h" + 1, "cost_nano_usd_24h" = "cost_nano_usd_24h" + 5 WHERE "tenant_id" = 'default';
UPDATE "user_totals" SET "requests_7d" = "requests_7d" + 1, "errors_7d" = "errors_7d" + 1, "tokens_7d" = "tokens_7d" + 5 WHERE "tenant_id" = 'default';
SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d';
UPDATE "recent_windows" SET "begins_at" = now() WHERE "range" = '7d';
