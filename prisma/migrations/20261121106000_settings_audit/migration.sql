-- Where a setting's value comes from: a person, or the configuration file.
ALTER TABLE "settings" ADD COLUMN "source" TEXT NOT NULL DEFAULT 'console';

-- Denied attempts stand beside what was done.
ALTER TABLE "audit_entries" ADD COLUMN "outcome" TEXT NOT NULL DEFAULT 'done';

-- What one person did, and every change of one kind, newest first.
CREATE INDEX "audit_entries_tenant_id_actor_id_id_idx" ON "audit_entries"("tenant_id", "actor_id", "id" DESC);
CREATE INDEX "audit_entries_tenant_id_action_id_idx" ON "audit_entries"("tenant_id", "action", "id" DESC);
