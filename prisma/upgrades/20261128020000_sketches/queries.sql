SELECT sum("ttft_sketch")::text, sum("duration_sketch")::text FROM "rollups_day";
SELECT "provider_multiplier", "group_multiplier" FROM "requests";
