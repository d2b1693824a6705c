-- What each key did on each day of universal time: who used most in any period, without its requests.
CREATE TABLE "key_days" (
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

    CONSTRAINT "key_days_pkey" PRIMARY KEY ("tenant_id","bucket","user_id","key_id")
);

-- What rates and times of all time are made of.
ALTER TABLE "key_totals" ADD COLUMN "errors" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ended_requests" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "prompt_tokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cache_read_tokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "user_totals" ADD COLUMN "errors" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ended_requests" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "prompt_tokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cache_read_tokens" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "ttft_ms_sum" BIGINT NOT NULL DEFAULT 0;

-- What was settled before is summed up once, from the rollups.
INSERT INTO "key_days" ("tenant_id", "bucket", "user_id", "key_id", "requests", "total_tokens", "cost_nano_usd", "errors", "ended_requests", "prompt_tokens", "cache_read_tokens", "ttft_count", "ttft_ms_sum")
SELECT "tenant_id", "bucket", "user_id"::uuid, "key_id"::uuid, sum("requests"), sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens"), sum("cost_nano_usd"), coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx')), 0), coalesce(sum("requests") FILTER (WHERE "status_class" NOT IN ('aborted', 'refused')), 0), sum("input_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens"), sum("cache_read_tokens"), sum("ttft_count"), sum("ttft_ms_sum")
FROM "rollups_day" WHERE "user_id" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AND "key_id" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
GROUP BY "tenant_id", "bucket", "user_id", "key_id";

UPDATE "key_totals" AS "t" SET "errors" = "s"."errors", "ended_requests" = "s"."ended_requests", "prompt_tokens" = "s"."prompt_tokens", "cache_read_tokens" = "s"."cache_read_tokens", "ttft_count" = "s"."ttft_count", "ttft_ms_sum" = "s"."ttft_ms_sum"
FROM (SELECT "key_id", coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx')), 0) AS "errors", coalesce(sum("requests") FILTER (WHERE "status_class" NOT IN ('aborted', 'refused')), 0) AS "ended_requests", sum("input_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") AS "prompt_tokens", sum("cache_read_tokens") AS "cache_read_tokens", sum("ttft_count") AS "ttft_count", sum("ttft_ms_sum") AS "ttft_ms_sum"
  FROM "rollups_day" WHERE "user_id" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' GROUP BY 1) AS "s"
WHERE "s"."key_id" = "t"."key_id"::text;

UPDATE "user_totals" AS "t" SET "errors" = "s"."errors", "ended_requests" = "s"."ended_requests", "prompt_tokens" = "s"."prompt_tokens", "cache_read_tokens" = "s"."cache_read_tokens", "ttft_count" = "s"."ttft_count", "ttft_ms_sum" = "s"."ttft_ms_sum"
FROM (SELECT "user_id", coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx')), 0) AS "errors", coalesce(sum("requests") FILTER (WHERE "status_class" NOT IN ('aborted', 'refused')), 0) AS "ended_requests", sum("input_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") AS "prompt_tokens", sum("cache_read_tokens") AS "cache_read_tokens", sum("ttft_count") AS "ttft_count", sum("ttft_ms_sum") AS "ttft_ms_sum"
  FROM "rollups_day" WHERE "user_id" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' GROUP BY 1) AS "s"
WHERE "s"."user_id" = "t"."user_id"::text;

-- Sums by group, dialect and outcome, too.
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused")
SELECT "tenant_id", '5m', CASE WHEN GROUPING("group") = 0 THEN 'group' WHEN GROUPING("dialect") = 0 THEN 'dialect' ELSE 'status' END,
  "bucket", coalesce("group", "dialect", "status_class"), sum("requests"), sum("billable_requests"), sum("input_tokens"), sum("output_tokens"), sum("cache_write_5m_tokens"), sum("cache_write_1h_tokens"), sum("cache_read_tokens"), sum("cost_nano_usd"), sum("upstream_cost_nano_usd"), sum("ttft_count"), sum("ttft_ms_sum"), sum("duration_ms_sum"), sum("ttft_sketch"), sum("duration_sketch"),
  coalesce(sum("requests") FILTER (WHERE "status_class" = '3xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '4xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '5xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'aborted'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'refused'), 0)
FROM "rollups_5m" GROUP BY GROUPING SETS (("tenant_id", "bucket", "group"), ("tenant_id", "bucket", "dialect"), ("tenant_id", "bucket", "status_class"));
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused")
SELECT "tenant_id", 'hour', CASE WHEN GROUPING("group") = 0 THEN 'group' WHEN GROUPING("dialect") = 0 THEN 'dialect' ELSE 'status' END,
  "bucket", coalesce("group", "dialect", "status_class"), sum("requests"), sum("billable_requests"), sum("input_tokens"), sum("output_tokens"), sum("cache_write_5m_tokens"), sum("cache_write_1h_tokens"), sum("cache_read_tokens"), sum("cost_nano_usd"), sum("upstream_cost_nano_usd"), sum("ttft_count"), sum("ttft_ms_sum"), sum("duration_ms_sum"), sum("ttft_sketch"), sum("duration_sketch"),
  coalesce(sum("requests") FILTER (WHERE "status_class" = '3xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '4xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '5xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'aborted'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'refused'), 0)
FROM "rollups_hour" GROUP BY GROUPING SETS (("tenant_id", "bucket", "group"), ("tenant_id", "bucket", "dialect"), ("tenant_id", "bucket", "status_class"));
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused")
SELECT "tenant_id", 'day', CASE WHEN GROUPING("group") = 0 THEN 'group' WHEN GROUPING("dialect") = 0 THEN 'dialect' ELSE 'status' END,
  "bucket", coalesce("group", "dialect", "status_class"), sum("requests"), sum("billable_requests"), sum("input_tokens"), sum("output_tokens"), sum("cache_write_5m_tokens"), sum("cache_write_1h_tokens"), sum("cache_read_tokens"), sum("cost_nano_usd"), sum("upstream_cost_nano_usd"), sum("ttft_count"), sum("ttft_ms_sum"), sum("duration_ms_sum"), sum("ttft_sketch"), sum("duration_sketch"),
  coalesce(sum("requests") FILTER (WHERE "status_class" = '3xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '4xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '5xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'aborted'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'refused'), 0)
FROM "rollups_day" GROUP BY GROUPING SETS (("tenant_id", "bucket", "group"), ("tenant_id", "bucket", "dialect"), ("tenant_id", "bucket", "status_class"));
