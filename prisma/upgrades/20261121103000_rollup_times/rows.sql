-- Rows as the code of this migration writes them: the next migration must carry them over unchanged.
INSERT INTO "installation" ("name", "value", "updated_at") VALUES ('secret_fingerprint', '00112233445566778899aabbccddeeff', now());
INSERT INTO "users" ("id", "email", "name", "role", "password_hash", "updated_at") VALUES
  ('019aa400-0000-7000-8000-000000000001', 'admin@example.test', 'Admin', 'admin', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', now()),
  ('019aa400-0000-7000-8000-000000000002', 'user@example.test', 'User', 'user', NULL, now());
INSERT INTO "logins" ("id", "user_id", "expires_at") VALUES
  ('5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8', '019aa400-0000-7000-8000-000000000001', now() + interval '1 day');
INSERT INTO "keys" ("id", "user_id", "name", "sha256", "preview", "rpm", "updated_at") VALUES
  ('019aa400-0000-7000-8000-000000000003', '019aa400-0000-7000-8000-000000000002', 'laptop',
   '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae', 'sk-sluice-Ab3d…9xYz', 60, now());
INSERT INTO "providers" ("id", "name", "dialect", "serves", "base_url", "secret", "groups", "models", "model_redirects", "updated_at") VALUES
  ('019aa400-0000-7000-8000-000000000004', 'main', 'openai', '{chat,responses}', 'https://api.openai.com/v1', 'v1:0:0:0:0', '{default}', '{}',
   '{"fast": "gpt-test"}', now());
INSERT INTO "prices" ("id", "model", "input_per_mtok", "output_per_mtok", "source") VALUES
  ('019aa400-0000-7000-8000-000000000005', 'gpt-test', 1.25, 10, 'console');
INSERT INTO "settings" ("tenant_id", "name", "value", "updated_at") VALUES ('default', 'sessions.activeWindowSeconds', '120', now());
INSERT INTO "audit_entries" ("id", "actor_id", "actor_kind", "action", "target_kind", "target_id", "after") VALUES
  ('019aa400-0000-7000-8000-000000000006', '', 'config', 'provider.create', 'provider', '019aa400-0000-7000-8000-000000000004', '{"name": "main"}');
INSERT INTO "requests" ("id", "settled_seq", "tenant_id", "user_id", "key_id", "session_id", "provider_id", "group", "dialect", "endpoint",
  "stream", "model", "upstream_model", "state", "status", "error_code", "attempts", "input_tokens", "output_tokens", "cache_write_5m_tokens",
  "cache_write_1h_tokens", "cache_read_tokens", "flags", "cost_nano_usd", "upstream_cost_nano_usd", "price_id", "billable", "started_at",
  "ttft_ms", "duration_ms", "client", "corrects_id") VALUES
  ('019aa400-0000-7000-8000-000000000007', nextval('requests_settled_seq'), 'default', '019aa400-0000-7000-8000-000000000002',
   '019aa400-0000-7000-8000-000000000003', 'session', '019aa400-0000-7000-8000-000000000004', 'default', 'openai', 'chat', true, 'gpt-test',
   'gpt-test', 'done', 200, '', 1, 100, 20, 0, 0, 0, '{}', 325000, 325000, '019aa400-0000-7000-8000-000000000005', true,
   '2025-11-21 00:00:00+00', 120, 350, 'test 1.0', NULL),
  ('019aa400-0000-7000-8000-000000000008', nextval('requests_settled_seq'), 'default', '', '', '', '', 'default', 'anthropic', 'messages', false, '',
   '', 'refused', 401, 'invalid_key', 0, 0, 0, 0, 0, 0, '{unpriced}', NULL, 0, NULL, false, '2025-11-21 00:00:00+00', NULL, 1, '', NULL);
INSERT INTO "request_details" ("id", "detail") VALUES ('019aa400-0000-7000-8000-000000000007', '{"id": "019aa400-0000-7000-8000-000000000007"}');
INSERT INTO "ledger_quarantine" ("id", "request_id", "payload", "reason") VALUES
  ('019aa400-0000-7000-8000-000000000009', '019aa400-0000-7000-8000-000000000007', '\x7b00', 'invalid byte sequence');
INSERT INTO "rollups_5m" VALUES ('default', '2025-11-21 00:00:00+00', 'u', 'k', 'p', 'gpt-test', 'default', 'openai', '2xx', 1, 1, 100, 20, 0, 0, 0, 325000, 325000, 1, 120, 350);
INSERT INTO "rollups_hour" SELECT * FROM "rollups_5m";
INSERT INTO "rollups_day" SELECT * FROM "rollups_5m";
