SELECT * FROM "alert_rules" ORDER BY "id";
SELECT "id", "name", "kind", "language", "enabled", "config", "secret" FROM "alert_channels" ORDER BY "id";
SELECT * FROM "alert_incidents" WHERE "resolved_at" IS NULL ORDER BY "id" DESC;
SELECT "id", "state", "attempts", "next_at" FROM "alert_deliveries" WHERE "state" = 'pending' ORDER BY "next_at";
