SELECT "id", "credentials", "credential_order", "secret_weight", "headers", "proxy" FROM "providers" WHERE "deleted_at" IS NULL ORDER BY "id";
UPDATE "providers" SET "secret" = '', "credentials" = '[]', "proxy" = '' WHERE "deleted_at" < now() AND ("secret" <> '' OR "credentials" <> '[]' OR "proxy" <> '');
