SELECT "tenant_id", "model", "provider_id", "settled_seq" FROM "unpriced_marks";
UPDATE "repricings" SET "cursor_id" = "from_id", "requests" = "requests" + 1, "corrected" = "corrected" + 1, "cost_nano_usd" = 5, "finished_at" = now();
