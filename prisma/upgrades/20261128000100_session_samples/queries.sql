SELECT "bucket", max("active") FILTER (WHERE "user_id" = '') FROM "session_samples"
  WHERE "tenant_id" = 'default' AND "user_id" IN ('', '019aa400-0000-7000-8000-000000000002') AND "bucket" >= '2025-11-20' GROUP BY "bucket";
INSERT INTO "session_samples" ("tenant_id", "user_id", "bucket", "active") VALUES ('default', '', '2025-11-21 00:05:00+00', 1) ON CONFLICT DO NOTHING;
DELETE FROM "session_samples" WHERE "tenant_id" = 'default' AND "bucket" < '2025-11-01';
