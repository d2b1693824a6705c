SELECT "id" FROM "requests" WHERE "state" = ANY('{error}'::text[]) ORDER BY "state", "id" DESC LIMIT 51;
