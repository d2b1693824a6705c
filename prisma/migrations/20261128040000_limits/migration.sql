-- Limits of tokens and of cost, at keys, users, groups and providers. USD; null = none of that kind.
ALTER TABLE "keys" ADD COLUMN "tpm" INTEGER,
  ADD COLUMN "cost_5h_usd" DECIMAL(16,9),
  ADD COLUMN "cost_day_usd" DECIMAL(16,9),
  ADD COLUMN "cost_week_usd" DECIMAL(16,9),
  ADD COLUMN "cost_month_usd" DECIMAL(16,9),
  ADD COLUMN "cost_total_usd" DECIMAL(16,9),
  ADD COLUMN "cost_reset_at" TIMESTAMPTZ(3);

ALTER TABLE "users" ADD COLUMN "rpm" INTEGER,
  ADD COLUMN "tpm" INTEGER,
  ADD COLUMN "in_flight" INTEGER,
  ADD COLUMN "cost_5h_usd" DECIMAL(16,9),
  ADD COLUMN "cost_day_usd" DECIMAL(16,9),
  ADD COLUMN "cost_week_usd" DECIMAL(16,9),
  ADD COLUMN "cost_month_usd" DECIMAL(16,9),
  ADD COLUMN "cost_total_usd" DECIMAL(16,9),
  ADD COLUMN "cost_reset_at" TIMESTAMPTZ(3);

ALTER TABLE "providers" ADD COLUMN "rpm" INTEGER,
  ADD COLUMN "tpm" INTEGER,
  ADD COLUMN "in_flight" INTEGER,
  ADD COLUMN "cost_5h_usd" DECIMAL(16,9),
  ADD COLUMN "cost_day_usd" DECIMAL(16,9),
  ADD COLUMN "cost_week_usd" DECIMAL(16,9),
  ADD COLUMN "cost_month_usd" DECIMAL(16,9),
  ADD COLUMN "cost_total_usd" DECIMAL(16,9),
  ADD COLUMN "cost_reset_at" TIMESTAMPTZ(3);

-- Keys and providers name their groups; a group has a row when there is something to say of it.
CREATE TABLE "groups" (
  "tenant_id" TEXT NOT NULL DEFAULT 'default',
  "name" TEXT NOT NULL,
  "cost_multiplier" DECIMAL(18,12) NOT NULL DEFAULT 1,
  "rpm" INTEGER,
  "tpm" INTEGER,
  "in_flight" INTEGER,
  "cost_5h_usd" DECIMAL(16,9),
  "cost_day_usd" DECIMAL(16,9),
  "cost_week_usd" DECIMAL(16,9),
  "cost_month_usd" DECIMAL(16,9),
  "cost_total_usd" DECIMAL(16,9),
  "cost_reset_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "groups_pkey" PRIMARY KEY ("tenant_id", "name")
);

-- The most that a model gives out in one answer; null = not known.
ALTER TABLE "prices" ADD COLUMN "max_output_tokens" INTEGER;
