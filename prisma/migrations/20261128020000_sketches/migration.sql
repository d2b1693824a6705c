-- Percentiles of time to first content and of duration, from rollups alone; and what a price was multiplied with, in the row.
-- DECIMAL without a precision: one number with ten digits for each bucket (core/latency-sketch).
ALTER TABLE "requests" ADD COLUMN "provider_multiplier" DECIMAL(18,12),
ADD COLUMN "group_multiplier" DECIMAL(18,12);
ALTER TABLE "rollups_5m" ADD COLUMN "ttft_sketch" DECIMAL NOT NULL DEFAULT 0,
ADD COLUMN "duration_sketch" DECIMAL NOT NULL DEFAULT 0;
ALTER TABLE "rollups_hour" ADD COLUMN "ttft_sketch" DECIMAL NOT NULL DEFAULT 0,
ADD COLUMN "duration_sketch" DECIMAL NOT NULL DEFAULT 0;
ALTER TABLE "rollups_day" ADD COLUMN "ttft_sketch" DECIMAL NOT NULL DEFAULT 0,
ADD COLUMN "duration_sketch" DECIMAL NOT NULL DEFAULT 0;

-- What was settled before is summed up once; the coarser sums follow from the finer ones.
WITH "sums" AS (
  SELECT "tenant_id", date_bin('5 minutes', "started_at", '2000-01-01T00:00:00Z'::timestamptz) AS "bucket", "user_id", "key_id",
    "provider_id", "model", "group", "dialect",
    CASE WHEN "state" IN ('aborted', 'refused') THEN "state"
      WHEN "status" >= 500 OR ("state" = 'error' AND "status" < 400) THEN '5xx'
      WHEN "status" >= 400 THEN '4xx' WHEN "status" >= 300 THEN '3xx' ELSE '2xx' END AS "status_class",
    coalesce(sum(('1e' || 10 * width_bucket("ttft_ms", "bounds"))::numeric), 0) AS "ttft_sketch",
    sum(('1e' || 10 * width_bucket("duration_ms", "bounds"))::numeric) AS "duration_sketch"
  FROM "requests", (SELECT '{1,2,3,4,5,6,7,8,9,10,12,14,16,18,20,23,26,29,32,36,40,45,50,56,62,69,76,84,93,103,114,126,139,153,169,186,205,226,249,
    274,302,333,367,404,445,490,540,595,655,721,794,874,962,1059,1165,1282,1411,1553,1709,1880,2069,2276,2504,2755,3031,3335,
    3669,4036,4440,4885,5374,5912,6504,7155,7871,8659,9525,10478,11526,12679,13947,15342,16877,18565,20422,22465,24712,27184,
    29903,32894,36184,39803,43784,48163,52980,58279,64107,70518,77570,85328,93861,103248,113573,124931,137425,151168,166285,
    182914,201206,221327,243460,267807,294588,324047,356452,392098,431308,474439,521883,574072,631480,694629,764092,840502,
    924553,1017009,1118710,1230582,1353641,1489006,1637907,1801698,1981868,2180055,2398061,2637868,2901655,3191821,3511004,
    3862105,4248316,4673148,5140463,5654510,6219962,6841959,7526155,8278771,9106649,10017314,11019046,12120951,13333047,
    14666352,16132988,17746287,19520916,21473008,23620309,25982340,28580575,31438633,34582497,38040747,41844822,46029305,
    50632236,55695460,61265007,67391508,74130659,81543725,
    89698098}'::int[] AS "bounds") AS "b"
  WHERE "corrects_id" IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9)
UPDATE "rollups_5m" AS "r" SET "ttft_sketch" = "s"."ttft_sketch", "duration_sketch" = "s"."duration_sketch"
FROM "sums" AS "s"
WHERE ("r"."tenant_id", "r"."bucket", "r"."user_id", "r"."key_id", "r"."provider_id", "r"."model", "r"."group", "r"."dialect", "r"."status_class")
  = ("s"."tenant_id", "s"."bucket", "s"."user_id", "s"."key_id", "s"."provider_id", "s"."model", "s"."group", "s"."dialect", "s"."status_class");

UPDATE "rollups_hour" AS "r" SET "ttft_sketch" = "s"."ttft_sketch", "duration_sketch" = "s"."duration_sketch"
FROM (
  SELECT "tenant_id", date_trunc('hour', "bucket", 'UTC') AS "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class",
    sum("ttft_sketch") AS "ttft_sketch", sum("duration_sketch") AS "duration_sketch"
  FROM "rollups_5m" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) AS "s"
WHERE ("r"."tenant_id", "r"."bucket", "r"."user_id", "r"."key_id", "r"."provider_id", "r"."model", "r"."group", "r"."dialect", "r"."status_class")
  = ("s"."tenant_id", "s"."bucket", "s"."user_id", "s"."key_id", "s"."provider_id", "s"."model", "s"."group", "s"."dialect", "s"."status_class");

UPDATE "rollups_day" AS "r" SET "ttft_sketch" = "s"."ttft_sketch", "duration_sketch" = "s"."duration_sketch"
FROM (
  SELECT "tenant_id", date_trunc('day', "bucket", 'UTC') AS "bucket", "user_id", "key_id", "provider_id", "model", "group", "dialect", "status_class",
    sum("ttft_sketch") AS "ttft_sketch", sum("duration_sketch") AS "duration_sketch"
  FROM "rollups_5m" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) AS "s"
WHERE ("r"."tenant_id", "r"."bucket", "r"."user_id", "r"."key_id", "r"."provider_id", "r"."model", "r"."group", "r"."dialect", "r"."status_class")
  = ("s"."tenant_id", "s"."bucket", "s"."user_id", "s"."key_id", "s"."provider_id", "s"."model", "s"."group", "s"."dialect", "s"."status_class");
