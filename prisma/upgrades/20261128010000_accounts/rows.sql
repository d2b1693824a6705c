-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "accounts" SET "billing" = 'prepaid', "balance_nano_usd" = 5000000000 WHERE "user_id" = '019aa400-0000-7000-8000-000000000002';
INSERT INTO "account_entries" ("id", "user_id", "kind", "amount_nano_usd", "balance_nano_usd", "idempotency_key", "actor_id", "reason") VALUES
  ('019aa400-0000-7000-8000-00000000000e', '019aa400-0000-7000-8000-000000000002', 'top_up', 5000000000, 5000000000, 'invoice-1',
   '019aa400-0000-7000-8000-000000000002', 'Invoice 1');
