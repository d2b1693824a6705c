SELECT "id", "policies" FROM "keys" ORDER BY "id";
SELECT "id", "policies", "expires_at" FROM "users" WHERE "policies" <> '{}' ORDER BY "id";
