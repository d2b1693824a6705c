-- What the code of this migration writes besides: the rows of the ones before are there already.
INSERT INTO "key_days" ("tenant_id", "bucket", "user_id", "key_id", "requests", "total_tokens", "cost_nano_usd", "errors", "ended_requests", "prompt_tokens", "cache_read_tokens", "ttft_count", "ttft_ms_sum") VALUES
  ('default', '2025-11-20 00:00:00+00', '019aa400-0000-7000-8000-000000000002', '019aa400-0000-7000-8000-000000000003', 1, 120, 325000, 0, 1, 100, 0, 1, 120);
UPDATE "key_totals" SET "ended_requests" = 1, "prompt_tokens" = 100, "ttft_count" = 1, "ttft_ms_sum" = 120;
