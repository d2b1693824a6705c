SELECT "id", "model_redirects", "group_priorities", "schedule", "timeouts", "breaker" FROM "providers" WHERE "deleted_at" IS NULL ORDER BY "id";
UPDATE "providers" SET "schedule" = '{"zone":"UTC","windows":[]}', "timeouts" = '{}' WHERE "timeouts" <> '{}';
