SELECT "bucket", "key_id", "aborted_requests", "cache_write_tokens", "duration_ms_sum", "measured_requests" FROM "key_days" WHERE "tenant_id" = 'default' ORDER BY "bucket", "key_id";
SELECT "bucket", "key_id", "requests", "cost_nano_usd" FROM "key_months" WHERE "tenant_id" = 'default' ORDER BY "bucket", "key_id";
INSERT INTO "key_months" AS m ("tenant_id", "bucket", "user_id", "key_id", "requests", "total_tokens", "cost_nano_usd", "errors", "ended_requests", "prompt_tokens", "cache_read_tokens", "ttft_count", "ttft_ms_sum") VALUES
  ('default', '2025-11-01 00:00:00+00', '019aa400-0000-7000-8000-000000000002', '019aa400-0000-7000-8000-000000000003', 1, 1, 1, 0, 1, 1, 0, 1, 1)
  ON CONFLICT ("tenant_id", "bucket", "user_id", "key_id") DO UPDATE SET "requests" = m."requests" + EXCLUDED."requests";
