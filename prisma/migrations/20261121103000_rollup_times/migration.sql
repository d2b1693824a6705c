-- Means of time to first content and of duration, from rollups alone.
ALTER TABLE "rollups_5m" ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "rollups_hour" ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "rollups_day" ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "duration_ms_sum" BIGINT NOT NULL DEFAULT 0;

-- What was settled before is summed up once; the coarser sums follow from the finer ones.
WITH "sums" AS (
  SELECT "tenant_id", date_bin('5 minutes', "started_at", '2000-01-01T00:00:00Z'::timestamptz) AS "bucket", "user_id", "key_id",
    "provider_id", "model", "group", "dialect",
    CASE WHEN "state" IN ('aborted', 'refused') THEN "state"
      WHEN "status" >= 500 OR ("state" = 'error' AND "status" < 400) THEN '5xx'
      WHEN "status" >= 400 THEN '4xx' WHEN "status" >= 300 THEN '3xx' ELSE '2xx' END AS "status_class",
    count("ttft_ms") AS "ttft_count", coalesce(sum("ttft_ms"), 0) AS "ttft_ms_sum", sum("duration_ms") AS "duration_ms_sum"
  FROM "requests" WHERE "corrects_id" IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9)
UPDATE "rollups_5m" AS "r" SET "ttft_count" = "s"."ttft_count", "ttft_ms_sum" = "s"."ttft_ms_sum", "duration_ms_sum" = "s"."duration_ms_sum"
FROM "sums" AS "s"
WHERE ("r"."tenant_id", "r"."bucket", "r"."user_id", "r"."key_id", "r"."provider_id", "r"."model", "r"."group", "r"."dialect", "r"."status_class")
  = ("s"."tenant_id", "s"."bucket", "s"."user_id", "s"."key_id", "s"."provider_id", "s"."model", "s"."group", "s"."dialect", "s"."status_class");

UPDATE "rollups_hour" AS "r" SET "ttft_count" = "s"."ttft_count", "ttft_ms_sum" = "s"."ttft_ms_sum", "duration_ms_sum" = "s"."duration_ms_sum"
FROM (
  SELECT "tenant_id", date_trunc('hour', "bucket", 'UTC') AS "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class",
    sum("ttft_count") AS "ttft_count", sum("ttft_ms_sum") AS "ttft_ms_sum", sum("duration_ms_sum") AS "duration_ms_sum"
  FROM "rollups_5m" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) AS "s"
WHERE ("r"."tenant_id", "r"."bucket", "r"."user_id", "r"."key_id", "r"."provider_id", "r"."model", "r"."group", "r"."dialect", "r"."status_class")
  = ("s"."tenant_id", "s"."bucket", "s"."user_id", "s"."key_id", "s"."provider_id", "s"."model", "s"."group", "s"."dialect", "s"."status_class");

UPDATE "rollups_day" AS "r" SET "ttft_count" = "s"."ttft_count", "ttft_ms_sum" = "s"."ttft_ms_sum", "duration_ms_sum" = "s"."duration_ms_sum"
FROM (
  SELECT "tenant_id", date_trunc('day', "bucket", 'UTC') AS "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class",
    sum("ttft_count") AS "ttft_count", sum("ttft_ms_sum") AS "ttft_ms_sum", sum("duration_ms_sum") AS "duration_ms_sum"
  FROM "rollups_5m" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) AS "s"
WHERE ("r"."tenant_id", "r"."bucket", "r"."user_id", "r"."key_id", "r"."provider_id", "r"."model", "r"."group", "r"."dialect", "r"."status_class")
  = ("s"."tenant_id", "s"."bucket", "s"."user_id", "s"."key_id", "s"."provider_id", "s"."model", "s"."group", "s"."dialect", "s"."status_class");
