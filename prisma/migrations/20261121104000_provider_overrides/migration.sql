-- An administrator's word over a provider's breakers, for a while and with a reason.
ALTER TABLE "providers" ADD COLUMN "override" TEXT,
ADD COLUMN "override_note" TEXT NOT NULL DEFAULT '',
ADD COLUMN "override_until" TIMESTAMPTZ(3);

-- The history of one thing, newest first.
CREATE INDEX "audit_entries_target_kind_target_id_id_idx" ON "audit_entries"("target_kind", "target_id", "id" DESC);
