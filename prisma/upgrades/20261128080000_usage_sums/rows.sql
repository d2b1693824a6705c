-- What the code of this migration writes besides: the rows of the ones before are there already.
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused") VALUES
  ('default', 'day', 'model', '2025-11-20 00:00:00+00', 'gpt-test', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
UPDATE "key_totals" SET "requests_24h" = 1, "errors_7d" = 0, "tokens_30d" = 120, "cost_nano_usd_30d" = 325000;
UPDATE "recent_windows" SET "begins_at" = '2025-11-20 00:00:00+00';
