-- Requests that had no price are priced when one appears, and ranges are priced anew: by corrections, rows of their own.
CREATE TABLE "unpriced_marks" (
    "tenant_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "settled_seq" BIGINT NOT NULL,

    CONSTRAINT "unpriced_marks_pkey" PRIMARY KEY ("tenant_id","model","provider_id")
);

CREATE TABLE "repricings" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "price_id" UUID NOT NULL,
    "from_id" UUID NOT NULL,
    "to_id" UUID NOT NULL,
    "cursor_id" UUID,
    "requests" BIGINT NOT NULL DEFAULT 0,
    "corrected" BIGINT NOT NULL DEFAULT 0,
    "cost_nano_usd" BIGINT NOT NULL DEFAULT 0,
    "actor_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "repricings_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "repricings_tenant_id_id_idx" ON "repricings"("tenant_id", "id");

-- By hand: the requests without a price, in the order of their commit.
CREATE INDEX "requests_unpriced_idx" ON "requests"("model", "provider_id", "settled_seq") WHERE "cost_nano_usd" IS NULL AND "corrects_id" IS NULL;

-- By hand: a price version that a row names stays what it was, and stays.
CREATE TRIGGER "prices_kept" BEFORE DELETE ON "prices" FOR EACH ROW EXECUTE FUNCTION "forbid_change"();
