-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "rollups_5m" SET "ttft_count" = 1, "ttft_ms_sum" = 120, "duration_ms_sum" = 350;
UPDATE "rollups_hour" SET "ttft_count" = 1, "ttft_ms_sum" = 120, "duration_ms_sum" = 350;
UPDATE "rollups_day" SET "ttft_count" = 1, "ttft_ms_sum" = 120, "duration_ms_sum" = 350;
