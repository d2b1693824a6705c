-- What statistics by key and by user show besides, of each key's days; and how many requests of the row are in it. What is missing there,
-- and the months of before, a job of the worker sums up: until then statistics are read from the rollups.
ALTER TABLE "key_days" ADD COLUMN "aborted_requests" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cache_write_tokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "measured_requests" BIGINT NOT NULL DEFAULT 0;

-- What each key did in each month of universal time.
CREATE TABLE "key_months" (
    "tenant_id" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(3) NOT NULL,
    "user_id" UUID NOT NULL,
    "key_id" UUID NOT NULL,
    "requests" BIGINT NOT NULL,
    "total_tokens" BIGINT NOT NULL,
    "cost_nano_usd" BIGINT NOT NULL,
    "errors" BIGINT NOT NULL,
    "ended_requests" BIGINT NOT NULL,
    "prompt_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "ttft_count" BIGINT NOT NULL,
    "ttft_ms_sum" BIGINT NOT NULL,

    CONSTRAINT "key_months_pkey" PRIMARY KEY ("tenant_id","bucket","user_id","key_id")
);
