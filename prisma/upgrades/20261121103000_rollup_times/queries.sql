-- What the code of this migration asks and writes, column by column: all of it must still run on the next schema, so that
-- an older process beside a newer one (or after going back) keeps working. No statement may depend on an order of columns.
SELECT "id", "tenant_id", "email", "name", "role"::text, "password_hash", "disabled_at", "created_at", "updated_at" FROM "users";
SELECT "id", "user_id", "created_at", "last_seen_at", "expires_at", "ip", "user_agent" FROM "logins";
SELECT "id", "tenant_id", "user_id", "name", "group", "sha256", "preview", "rpm", "in_flight", "expires_at", "disabled_at", "revoked_at", "created_at", "updated_at" FROM "keys";
SELECT "id", "tenant_id", "name", "dialect", "serves", "base_url", "secret", "groups", "priority", "weight", "models", "model_redirects", "cost_multiplier", "enabled", "deleted_at", "created_at", "updated_at" FROM "providers";
SELECT "id", "tenant_id", "model", "input_per_mtok", "output_per_mtok", "cache_write_5m_per_mtok", "cache_write_1h_per_mtok", "cache_read_per_mtok", "source", "created_at" FROM "prices";
SELECT "tenant_id", "name", "value", "updated_at" FROM "settings";
SELECT "name", "value", "updated_at" FROM "installation";
SELECT "id", "tenant_id", "actor_id", "actor_kind", "action", "target_kind", "target_id", "before", "after", "ip", "request_id", "created_at" FROM "audit_entries";
SELECT "id", "settled_seq", "tenant_id", "user_id", "key_id", "session_id", "provider_id", "group", "dialect", "endpoint", "stream", "model", "upstream_model", "state", "status", "error_code", "attempts", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "flags", "cost_nano_usd", "upstream_cost_nano_usd", "price_id", "billable", "started_at", "ttft_ms", "duration_ms", "client", "corrects_id" FROM "requests" ORDER BY "id" DESC LIMIT 50;
SELECT "id", "detail" FROM "request_details";
SELECT "id", "request_id", "payload", "reason", "released_at", "created_at" FROM "ledger_quarantine";
SELECT "tenant_id", "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum" FROM "rollups_day";
UPDATE "config_version" SET "version" = "version" + 1 WHERE "tenant_id" = 'default';
INSERT INTO "users" ("id", "email", "name", "updated_at") VALUES ('019aa400-0000-7000-8000-00000000000a', 'next@example.test', 'Next', now());
INSERT INTO "keys" ("id", "user_id", "name", "sha256", "preview", "updated_at") VALUES ('019aa400-0000-7000-8000-00000000000b', '019aa400-0000-7000-8000-00000000000a', 'k', 'x', 'x', now());
INSERT INTO "requests" ("id", "settled_seq", "tenant_id", "user_id", "key_id", "session_id", "provider_id", "group", "dialect", "endpoint", "stream", "model", "upstream_model", "state", "status", "error_code", "attempts", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "flags", "cost_nano_usd", "upstream_cost_nano_usd", "price_id", "billable", "started_at", "ttft_ms", "duration_ms", "client", "corrects_id")
  VALUES ('019aa400-0000-7000-8000-00000000000c', nextval('requests_settled_seq'), 'default', '', '', '', '', 'default', 'openai', 'chat', false, 'm', 'm', 'done', 200, '', 1, 1, 1, 0, 0, 0, '{}', 0, 0, NULL, true, now(), NULL, 1, '', NULL) ON CONFLICT ("id") DO NOTHING;
INSERT INTO "rollups_5m" AS r ("tenant_id", "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd")
  VALUES ('default', '2025-11-21 00:00:00+00', 'u', 'k', 'p', 'gpt-test', 'default', 'openai', '2xx', 1, 1, 1, 1, 0, 0, 0, 1, 1)
  ON CONFLICT ("tenant_id", "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class") DO UPDATE SET "requests" = r."requests" + EXCLUDED."requests";
DELETE FROM "logins" WHERE "expires_at" < now();
