-- What the code of this migration writes besides: the rows of the ones before are there already.
UPDATE "rollups_5m" SET "ttft_sketch" = 1e420, "duration_sketch" = 1e520;
UPDATE "rollups_hour" SET "ttft_sketch" = 1e420, "duration_sketch" = 1e520;
UPDATE "rollups_day" SET "ttft_sketch" = 1e420, "duration_sketch" = 1e520;
