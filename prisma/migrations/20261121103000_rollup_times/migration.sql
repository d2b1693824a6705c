-- Means of time to first content and of duration, from rollups alone. What was settled before counts as nothing measured.
ALTER TABLE "rollups_5m" ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "rollups_hour" ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "rollups_day" ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0;
