SELECT "id", "dismissed_at", "dismiss_reason" FROM "ledger_quarantine" ORDER BY "created_at" DESC, "id" DESC;
SELECT "id", "tenant_id", "started_at", "finished_at", "actor_id", "state", "steps", "steps_done", "unchecked", "differences" FROM "reconciliations";
UPDATE "reconciliations" SET "steps_done" = 3, "finished_at" = now(), "state" = 'done' WHERE "state" = 'running';
