SELECT "id", "user_id", "key_sha256" FROM "logins" ORDER BY "id";
