-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "settings" SET "source" = 'config';
INSERT INTO "audit_entries" ("id", "actor_id", "actor_kind", "action", "outcome", "target_kind", "target_id", "after") VALUES
  ('019aa400-0000-7000-8000-00000000000d', '', 'config', 'provider.create', 'done', 'provider', '019aa400-0000-7000-8000-000000000004', '{"name": "main"}');
