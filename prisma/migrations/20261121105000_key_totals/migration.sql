-- AlterTable
ALTER TABLE "keys" ADD COLUMN     "previous_sha256" TEXT,
ADD COLUMN     "previous_valid_until" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "key_totals" (
    "key_id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "requests" BIGINT NOT NULL DEFAULT 0,
    "total_tokens" BIGINT NOT NULL DEFAULT 0,
    "cost_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT '1970-01-01 00:00:00 +00:00',

    CONSTRAINT "key_totals_pkey" PRIMARY KEY ("key_id")
);

-- CreateTable
CREATE TABLE "user_totals" (
    "user_id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "requests" BIGINT NOT NULL DEFAULT 0,
    "total_tokens" BIGINT NOT NULL DEFAULT 0,
    "cost_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT '1970-01-01 00:00:00 +00:00',

    CONSTRAINT "user_totals_pkey" PRIMARY KEY ("user_id")
);

-- CreateIndex
CREATE INDEX "key_totals_tenant_id_total_tokens_key_id_idx" ON "key_totals"("tenant_id", "total_tokens", "key_id");

-- CreateIndex
CREATE INDEX "key_totals_tenant_id_requests_key_id_idx" ON "key_totals"("tenant_id", "requests", "key_id");

-- CreateIndex
CREATE INDEX "key_totals_tenant_id_last_used_at_key_id_idx" ON "key_totals"("tenant_id", "last_used_at", "key_id");

-- CreateIndex
CREATE INDEX "key_totals_user_id_total_tokens_key_id_idx" ON "key_totals"("user_id", "total_tokens", "key_id");

-- CreateIndex
CREATE INDEX "key_totals_user_id_last_used_at_key_id_idx" ON "key_totals"("user_id", "last_used_at", "key_id");

-- CreateIndex
CREATE INDEX "user_totals_tenant_id_total_tokens_user_id_idx" ON "user_totals"("tenant_id", "total_tokens", "user_id");

-- CreateIndex
CREATE INDEX "user_totals_tenant_id_requests_user_id_idx" ON "user_totals"("tenant_id", "requests", "user_id");

-- CreateIndex
CREATE INDEX "user_totals_tenant_id_last_used_at_user_id_idx" ON "user_totals"("tenant_id", "last_used_at", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "keys_previous_sha256_key" ON "keys"("previous_sha256");

-- CreateIndex
CREATE INDEX "keys_user_id_id_idx" ON "keys"("user_id", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_id_idx" ON "users"("tenant_id", "id");

-- By hand: lists filter by state and search by the beginning of a name, sorted by it in the order of bytes.
CREATE INDEX "keys_user_id_state_id_idx" ON "keys" ("user_id",
  (CASE WHEN "revoked_at" IS NOT NULL THEN 'revoked' WHEN "disabled_at" IS NOT NULL THEN 'disabled' ELSE 'enabled' END), "id");
CREATE INDEX "keys_tenant_id_state_id_idx" ON "keys" ("tenant_id",
  (CASE WHEN "revoked_at" IS NOT NULL THEN 'revoked' WHEN "disabled_at" IS NOT NULL THEN 'disabled' ELSE 'enabled' END), "id");
CREATE INDEX "keys_tenant_id_name_id_idx" ON "keys" ("tenant_id", (lower("name") COLLATE "C"), "id");
CREATE INDEX "users_tenant_id_name_id_idx" ON "users" ("tenant_id", (lower("name") COLLATE "C"), "id");
CREATE INDEX "users_tenant_id_email_prefix_idx" ON "users" ("tenant_id", (lower("email") COLLATE "C"), "id");

-- By hand: every key and user has its totals from the beginning, whoever makes it.
CREATE FUNCTION "begin_key_totals"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "key_totals" ("key_id", "tenant_id", "user_id") VALUES (NEW."id", NEW."tenant_id", NEW."user_id") ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER "keys_begin_totals" AFTER INSERT ON "keys" FOR EACH ROW EXECUTE FUNCTION "begin_key_totals"();

CREATE FUNCTION "begin_user_totals"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "user_totals" ("user_id", "tenant_id") VALUES (NEW."id", NEW."tenant_id") ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER "users_begin_totals" AFTER INSERT ON "users" FOR EACH ROW EXECUTE FUNCTION "begin_user_totals"();

-- By hand: what was used until now, from the daily sums; the moment of the last use by the log's index.
INSERT INTO "key_totals" ("key_id", "tenant_id", "user_id", "requests", "total_tokens", "cost_nano_usd", "last_used_at")
SELECT k."id", k."tenant_id", k."user_id", coalesce(s."requests", 0), coalesce(s."tokens", 0), coalesce(s."cost", 0),
  coalesce((SELECT r."started_at" FROM "requests" r WHERE r."key_id" = k."id"::text ORDER BY r."id" DESC LIMIT 1), to_timestamp(0))
FROM "keys" k LEFT JOIN (
  SELECT "key_id", sum("requests") AS "requests", sum("cost_nano_usd") AS "cost",
    sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") AS "tokens"
  FROM "rollups_day" GROUP BY 1
) s ON s."key_id" = k."id"::text;

INSERT INTO "user_totals" ("user_id", "tenant_id", "requests", "total_tokens", "cost_nano_usd", "last_used_at")
SELECT u."id", u."tenant_id", coalesce(s."requests", 0), coalesce(s."tokens", 0), coalesce(s."cost", 0),
  coalesce((SELECT r."started_at" FROM "requests" r WHERE r."user_id" = u."id"::text ORDER BY r."id" DESC LIMIT 1), to_timestamp(0))
FROM "users" u LEFT JOIN (
  SELECT "user_id", sum("requests") AS "requests", sum("cost_nano_usd") AS "cost",
    sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") AS "tokens"
  FROM "rollups_day" GROUP BY 1
) s ON s."user_id" = u."id"::text;
