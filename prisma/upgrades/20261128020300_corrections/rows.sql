INSERT INTO "unpriced_marks" ("tenant_id", "model", "provider_id", "settled_seq") VALUES ('default', 'gpt-test', '019aa400-0000-7000-8000-000000000004', 1);
INSERT INTO "repricings" ("id", "tenant_id", "model", "price_id", "from_id", "to_id", "actor_id") VALUES
  ('019aa400-0000-7000-8000-0000000000c1', 'default', 'gpt-test', '019aa400-0000-7000-8000-000000000005',
   '019aa400-0000-7000-8000-000000000000', '019aa500-0000-7000-8000-000000000000', '');
