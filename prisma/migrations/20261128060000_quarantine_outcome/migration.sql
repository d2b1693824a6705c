-- What became of a quarantined record: released (it has its row), or dismissed with a reason.
ALTER TABLE "ledger_quarantine" ADD COLUMN "dismissed_at" TIMESTAMPTZ(3),
ADD COLUMN "dismiss_reason" TEXT NOT NULL DEFAULT '';

-- Newest first: the id of damaged bytes says nothing of when.
CREATE INDEX "ledger_quarantine_created_at_id_idx" ON "ledger_quarantine"("created_at" DESC, "id" DESC);

-- Checks of the books, each with what it found.
CREATE TABLE "reconciliations" (
    "id" UUID NOT NULL,
    "tenant_id" TEXT NOT NULL DEFAULT 'default',
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "actor_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "steps" INTEGER NOT NULL,
    "steps_done" INTEGER NOT NULL,
    "unchecked" TEXT[],
    "differences" JSONB NOT NULL,

    CONSTRAINT "reconciliations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "reconciliations_tenant_id_id_idx" ON "reconciliations"("tenant_id", "id" DESC);
