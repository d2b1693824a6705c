SELECT "id", "tags" FROM "keys" WHERE "tags" @> ARRAY['team-a'] ORDER BY "id";
