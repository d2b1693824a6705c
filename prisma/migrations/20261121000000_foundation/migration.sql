-- The foundation: every table of the first version. Made from prisma/schema by Prisma's engine; what the schema
-- language cannot say (partitions, triggers, the partial index, the sequence) is marked "By hand".

-- By hand: statistics of statements are a convenience; a server without the extension must migrate all the same.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'pg_stat_statements is not available: %', SQLERRM;
END
$$;

-- By hand: partitions live apart, so that what Prisma compares in "public" stays clean.
CREATE SCHEMA IF NOT EXISTS "partitions";

-- CreateEnum
CREATE TYPE "role" AS ENUM ('admin', 'user');

-- CreateTable
CREATE TABLE "audit_entries" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "actor_id" TEXT NOT NULL,
    "actor_kind" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target_kind" TEXT NOT NULL,
    "target_id" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "ip" TEXT NOT NULL DEFAULT '',
    "request_id" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "installation" (
    "name" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "config_version" (
    "tenant_id" TEXT NOT NULL,
    "version" BIGINT NOT NULL,

    CONSTRAINT "config_version_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "keys" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "user_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "group" TEXT NOT NULL DEFAULT 'default',
    "sha256" TEXT NOT NULL,
    "preview" TEXT NOT NULL,
    "rpm" INTEGER,
    "in_flight" INTEGER,
    "expires_at" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "prices" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "model" TEXT NOT NULL,
    "input_per_mtok" DECIMAL(24,12) NOT NULL,
    "output_per_mtok" DECIMAL(24,12) NOT NULL,
    "cache_write_5m_per_mtok" DECIMAL(24,12),
    "cache_write_1h_per_mtok" DECIMAL(24,12),
    "cache_read_per_mtok" DECIMAL(24,12),
    "source" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "prices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "providers" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "name" TEXT NOT NULL,
    "dialect" TEXT NOT NULL,
    "serves" TEXT[],
    "base_url" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "groups" TEXT[],
    "priority" INTEGER NOT NULL DEFAULT 0,
    "weight" INTEGER NOT NULL DEFAULT 1,
    "models" TEXT[],
    "model_redirects" JSONB NOT NULL DEFAULT '{}',
    "cost_multiplier" DECIMAL(18,12) NOT NULL DEFAULT 1,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "deleted_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "providers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "requests" (
    "id" UUID NOT NULL,
    "settled_seq" BIGINT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "group" TEXT NOT NULL,
    "dialect" TEXT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "stream" BOOLEAN NOT NULL,
    "model" TEXT NOT NULL,
    "upstream_model" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "status" SMALLINT NOT NULL,
    "error_code" TEXT NOT NULL,
    "attempts" SMALLINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "flags" TEXT[],
    "cost_nano_usd" BIGINT,
    "upstream_cost_nano_usd" BIGINT NOT NULL,
    "price_id" UUID,
    "billable" BOOLEAN NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ttft_ms" INTEGER,
    "duration_ms" INTEGER NOT NULL,
    "client" TEXT NOT NULL,
    "corrects_id" UUID,

    CONSTRAINT "requests_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");  -- By hand: monthly ranges of UUIDv7, made ahead; no DEFAULT partition.

-- CreateTable
CREATE TABLE "request_details" (
    "id" UUID NOT NULL,
    "detail" JSON NOT NULL,

    CONSTRAINT "request_details_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");  -- By hand: monthly ranges of UUIDv7, made ahead; no DEFAULT partition.

-- CreateTable
CREATE TABLE "ledger_quarantine" (
    "id" UUID NOT NULL,
    "request_id" TEXT NOT NULL,
    "payload" BYTEA NOT NULL,
    "reason" TEXT NOT NULL,
    "released_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_quarantine_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rollups_5m" (
    "tenant_id" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(3) NOT NULL,
    "user_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "group" TEXT NOT NULL,
    "dialect" TEXT NOT NULL,
    "status_class" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "billable_requests" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "cost_nano_usd" BIGINT NOT NULL,
    "upstream_cost_nano_usd" BIGINT NOT NULL,

    CONSTRAINT "rollups_5m_pkey" PRIMARY KEY ("tenant_id","bucket","user_id","key_id","provider_id","model","group","dialect","status_class")
) WITH (fillfactor = 80);  -- By hand: room for updates in place.

-- CreateTable
CREATE TABLE "rollups_hour" (
    "tenant_id" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(3) NOT NULL,
    "user_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "group" TEXT NOT NULL,
    "dialect" TEXT NOT NULL,
    "status_class" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "billable_requests" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "cost_nano_usd" BIGINT NOT NULL,
    "upstream_cost_nano_usd" BIGINT NOT NULL,

    CONSTRAINT "rollups_hour_pkey" PRIMARY KEY ("tenant_id","bucket","user_id","key_id","provider_id","model","group","dialect","status_class")
) WITH (fillfactor = 80);  -- By hand: room for updates in place.

-- CreateTable
CREATE TABLE "rollups_day" (
    "tenant_id" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(3) NOT NULL,
    "user_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "group" TEXT NOT NULL,
    "dialect" TEXT NOT NULL,
    "status_class" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "billable_requests" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "cost_nano_usd" BIGINT NOT NULL,
    "upstream_cost_nano_usd" BIGINT NOT NULL,

    CONSTRAINT "rollups_day_pkey" PRIMARY KEY ("tenant_id","bucket","user_id","key_id","provider_id","model","group","dialect","status_class")
) WITH (fillfactor = 80);  -- By hand: room for updates in place.

-- CreateTable
CREATE TABLE "settings" (
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "name" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("tenant_id","name")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" "role" NOT NULL DEFAULT 'user',
    "password_hash" TEXT,
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "logins" (
    "id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ip" TEXT NOT NULL DEFAULT '',
    "user_agent" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "logins_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_entries_tenant_id_id_idx" ON "audit_entries"("tenant_id", "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "keys_sha256_key" ON "keys"("sha256");

-- CreateIndex
CREATE INDEX "keys_tenant_id_id_idx" ON "keys"("tenant_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "keys_user_id_name_key" ON "keys"("user_id", "name");

-- CreateIndex
CREATE INDEX "prices_tenant_id_model_id_idx" ON "prices"("tenant_id", "model", "id" DESC);

-- CreateIndex
CREATE INDEX "providers_tenant_id_name_idx" ON "providers"("tenant_id", "name");

-- CreateIndex
CREATE INDEX "requests_user_id_id_idx" ON "requests"("user_id", "id" DESC);

-- CreateIndex
CREATE INDEX "requests_key_id_id_idx" ON "requests"("key_id", "id" DESC);

-- CreateIndex
CREATE INDEX "requests_provider_id_id_idx" ON "requests"("provider_id", "id" DESC);

-- CreateIndex
CREATE INDEX "requests_session_id_id_idx" ON "requests"("session_id", "id" DESC);

-- CreateIndex
CREATE INDEX "requests_model_id_idx" ON "requests"("model", "id" DESC);

-- CreateIndex
CREATE INDEX "requests_settled_seq_idx" ON "requests"("settled_seq");

-- CreateIndex
CREATE UNIQUE INDEX "users_tenant_id_email_key" ON "users"("tenant_id", "email");

-- CreateIndex
CREATE INDEX "logins_user_id_idx" ON "logins"("user_id");

-- CreateIndex
CREATE INDEX "logins_expires_at_idx" ON "logins"("expires_at");

-- AddForeignKey
ALTER TABLE "keys" ADD CONSTRAINT "keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "logins" ADD CONSTRAINT "logins_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- By hand: the failed requests of the log page, a small part of the table.
CREATE INDEX "requests_failed_id_idx" ON "requests"("id" DESC) WHERE "state" IN ('error', 'refused');

-- By hand: order of commit, drawn under the settle lock; whatever follows commits reads by it.
CREATE SEQUENCE "requests_settled_seq" AS BIGINT;

-- By hand: append-only tables. A row trigger on a partitioned table also guards its partitions, whoever names them;
-- a TRUNCATE trigger does not, so each partition gets its own when it is made (db/partitions).
CREATE FUNCTION "forbid_change"() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is forbidden on %: its rows never change', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER "requests_append_only" BEFORE UPDATE OR DELETE ON "requests"
  FOR EACH ROW EXECUTE FUNCTION "forbid_change"();
CREATE TRIGGER "requests_no_truncate" BEFORE TRUNCATE ON "requests"
  FOR EACH STATEMENT EXECUTE FUNCTION "forbid_change"();

CREATE TRIGGER "audit_entries_append_only" BEFORE UPDATE OR DELETE ON "audit_entries"
  FOR EACH ROW EXECUTE FUNCTION "forbid_change"();
CREATE TRIGGER "audit_entries_no_truncate" BEFORE TRUNCATE ON "audit_entries"
  FOR EACH STATEMENT EXECUTE FUNCTION "forbid_change"();

-- A price version never changes; a new row replaces it.
CREATE TRIGGER "prices_immutable" BEFORE UPDATE ON "prices"
  FOR EACH ROW EXECUTE FUNCTION "forbid_change"();

-- Snapshots poll this; changes raise it in their transaction.
INSERT INTO "config_version" ("tenant_id", "version") VALUES ('default', 1);
