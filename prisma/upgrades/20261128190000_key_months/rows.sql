-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "key_days" SET "cache_write_tokens" = 20, "duration_ms_sum" = 350, "measured_requests" = 1;
INSERT INTO "key_months" ("tenant_id", "bucket", "user_id", "key_id", "requests", "total_tokens", "cost_nano_usd", "errors", "ended_requests", "prompt_tokens", "cache_read_tokens", "ttft_count", "ttft_ms_sum") VALUES
  ('default', '2025-11-01 00:00:00+00', '019aa400-0000-7000-8000-000000000002', '019aa400-0000-7000-8000-000000000003', 1, 120, 325000, 0, 1, 100, 0, 1, 120);
