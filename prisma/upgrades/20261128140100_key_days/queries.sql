SELECT "bucket", "key_id", "requests", "errors", "ended_requests" FROM "key_days" WHERE "tenant_id" = 'default' ORDER BY "bucket", "key_id";
INSERT INTO "key_days" AS k ("tenant_id", "bucket", "user_id", "key_id", "requests", "total_tokens", "cost_nano_usd", "errors", "ended_requests", "prompt_tokens", "cache_read_tokens", "ttft_count", "ttft_ms_sum") VALUES
  ('default', '2025-11-20 00:00:00+00', '019aa400-0000-7000-8000-000000000002', '019aa400-0000-7000-8000-000000000003', 1, 1, 1, 0, 1, 1, 0, 1, 1)
  ON CONFLICT ("tenant_id", "bucket", "user_id", "key_id") DO UPDATE SET "requests" = k."requests" + EXCLUDED."requests";
UPDATE "key_totals" SET "ended_requests" = "ended_requests" + 1, "prompt_tokens" = "prompt_tokens" + 5 WHERE "tenant_id" = 'default';
UPDATE "user_totals" SET "errors" = "errors" + 1, "ttft_count" = "ttft_count" + 1, "ttft_ms_sum" = "ttft_ms_sum" + 5, "cache_read_tokens" = "cache_read_tokens" + 1 WHERE "tenant_id" = 'default';
