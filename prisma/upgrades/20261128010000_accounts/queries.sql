SELECT "user_id", "billing", "balance_nano_usd", "held_nano_usd", "floor_nano_usd", "postpaid_nano_usd" FROM "accounts";
SELECT "id", "kind", "amount_nano_usd", "held_nano_usd", "balance_nano_usd", "reference_kind", "reference_id" FROM "account_entries"
WHERE "user_id" = '019aa400-0000-7000-8000-000000000002' ORDER BY "id" DESC;
UPDATE "accounts" SET "balance_nano_usd" = "balance_nano_usd" - 1 WHERE "user_id" = '019aa400-0000-7000-8000-000000000002';
