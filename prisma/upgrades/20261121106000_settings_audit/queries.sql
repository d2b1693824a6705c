SELECT "tenant_id", "name", "source" FROM "settings";
SELECT "id", "outcome" FROM "audit_entries";
