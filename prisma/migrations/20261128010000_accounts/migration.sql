-- CreateTable
CREATE TABLE "accounts" (
    "user_id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "billing" TEXT NOT NULL DEFAULT 'postpaid',
    "balance_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "held_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "floor_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "postpaid_nano_usd" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("user_id"),
    -- By hand.
    CONSTRAINT "accounts_billing_known" CHECK ("billing" IN ('postpaid', 'prepaid', 'both')),
    CONSTRAINT "accounts_held_not_negative" CHECK ("held_nano_usd" >= 0)
) WITH (fillfactor = 80);  -- By hand: room for updates in place.

-- CreateTable
CREATE TABLE "account_entries" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "user_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "amount_nano_usd" BIGINT NOT NULL,
    "held_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "balance_nano_usd" BIGINT NOT NULL,
    "reference_kind" TEXT NOT NULL DEFAULT '',
    "reference_id" TEXT NOT NULL DEFAULT '',
    "idempotency_key" TEXT,
    "actor_id" TEXT NOT NULL DEFAULT '',
    "reason" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "account_entries_pkey" PRIMARY KEY ("id"),
    -- By hand.
    CONSTRAINT "account_entries_kind_known" CHECK ("kind" IN ('top_up', 'adjustment', 'refund', 'hold', 'settle', 'release'))
);

-- CreateIndex
CREATE UNIQUE INDEX "account_entries_tenant_id_idempotency_key_key" ON "account_entries"("tenant_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "account_entries_user_id_id_idx" ON "account_entries"("user_id", "id" DESC);

-- CreateIndex
CREATE INDEX "account_entries_tenant_id_id_idx" ON "account_entries"("tenant_id", "id" DESC);

-- By hand: a reference is held once and ended once, ever.
CREATE UNIQUE INDEX "account_entries_hold_key" ON "account_entries"("tenant_id", "reference_kind", "reference_id") WHERE "kind" = 'hold';
CREATE UNIQUE INDEX "account_entries_end_key" ON "account_entries"("tenant_id", "reference_kind", "reference_id") WHERE "kind" IN ('settle', 'release');

-- By hand: entries never change.
CREATE TRIGGER "account_entries_append_only" BEFORE UPDATE OR DELETE ON "account_entries"
  FOR EACH ROW EXECUTE FUNCTION "forbid_change"();
CREATE TRIGGER "account_entries_no_truncate" BEFORE TRUNCATE ON "account_entries"
  FOR EACH STATEMENT EXECUTE FUNCTION "forbid_change"();

-- By hand: every user has an account from the beginning, whoever makes the user.
CREATE FUNCTION "open_account"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "accounts" ("user_id", "tenant_id") VALUES (NEW."id", NEW."tenant_id") ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER "users_open_account" AFTER INSERT ON "users" FOR EACH ROW EXECUTE FUNCTION "open_account"();

-- By hand: what was used until now was used on postpaid terms.
INSERT INTO "accounts" ("user_id", "tenant_id", "postpaid_nano_usd")
SELECT u."id", u."tenant_id", coalesce(s."cost", 0)
FROM "users" u LEFT JOIN (SELECT "user_id", sum("cost_nano_usd") AS "cost" FROM "rollups_day" GROUP BY 1) s ON s."user_id" = u."id"::text;
