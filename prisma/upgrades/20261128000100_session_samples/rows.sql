-- What the code of this migration writes besides: the rows of the ones before are there already.
INSERT INTO "session_samples" ("tenant_id", "user_id", "bucket", "active") VALUES
  ('default', '', '2025-11-21 00:00:00+00', 3),
  ('default', '019aa400-0000-7000-8000-000000000002', '2025-11-21 00:00:00+00', 2);
