SELECT "id", "previous_sha256", "previous_valid_until" FROM "keys";
SELECT "key_id", "tenant_id", "user_id", "requests", "total_tokens", "cost_nano_usd", "last_used_at" FROM "key_totals";
SELECT "user_id", "tenant_id", "requests", "total_tokens", "cost_nano_usd", "last_used_at" FROM "user_totals";
INSERT INTO "key_totals" AS t ("key_id", "tenant_id", "user_id", "requests", "total_tokens", "cost_nano_usd", "last_used_at")
  VALUES ('019aa400-0000-7000-8000-00000000000b', 'default', '019aa400-0000-7000-8000-00000000000a', 1, 2, 0, now())
  ON CONFLICT ("key_id") DO UPDATE SET "requests" = t."requests" + EXCLUDED."requests", "last_used_at" = greatest(t."last_used_at", EXCLUDED."last_used_at");
INSERT INTO "user_totals" AS t ("user_id", "tenant_id", "requests", "total_tokens", "cost_nano_usd", "last_used_at")
  VALUES ('019aa400-0000-7000-8000-00000000000a', 'default', 1, 2, 0, now())
  ON CONFLICT ("user_id") DO UPDATE SET "requests" = t."requests" + EXCLUDED."requests", "last_used_at" = greatest(t."last_used_at", EXCLUDED."last_used_at");
