-- What is shown of everybody, by one dimension: a row for a bucket and value instead of one for every combination.
CREATE TABLE "usage_sums" (
    "tenant_id" TEXT NOT NULL,
    "grain" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "bucket" TIMESTAMPTZ(3) NOT NULL,
    "id" TEXT NOT NULL,
    "requests" BIGINT NOT NULL,
    "requests_3xx" BIGINT NOT NULL,
    "requests_4xx" BIGINT NOT NULL,
    "requests_5xx" BIGINT NOT NULL,
    "requests_aborted" BIGINT NOT NULL,
    "requests_refused" BIGINT NOT NULL,
    "billable_requests" BIGINT NOT NULL,
    "input_tokens" BIGINT NOT NULL,
    "output_tokens" BIGINT NOT NULL,
    "cache_write_5m_tokens" BIGINT NOT NULL,
    "cache_write_1h_tokens" BIGINT NOT NULL,
    "cache_read_tokens" BIGINT NOT NULL,
    "cost_nano_usd" BIGINT NOT NULL,
    "upstream_cost_nano_usd" BIGINT NOT NULL,
    "ttft_count" BIGINT NOT NULL,
    "ttft_ms_sum" BIGINT NOT NULL,
    "duration_ms_sum" BIGINT NOT NULL,
    "ttft_sketch" DECIMAL NOT NULL,
    "duration_sketch" DECIMAL NOT NULL,

    CONSTRAINT "usage_sums_pkey" PRIMARY KEY ("tenant_id","grain","kind","bucket","id")
);

-- What keys and users used lately: since moments that a job moves.
ALTER TABLE "key_totals" ADD COLUMN "requests_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "errors_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "tokens_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cost_nano_usd_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "requests_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "errors_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "tokens_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cost_nano_usd_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "requests_30d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "errors_30d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "tokens_30d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cost_nano_usd_30d" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "user_totals" ADD COLUMN "requests_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "errors_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "tokens_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cost_nano_usd_24h" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "requests_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "errors_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "tokens_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cost_nano_usd_7d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "requests_30d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "errors_30d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "tokens_30d" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN "cost_nano_usd_30d" BIGINT NOT NULL DEFAULT 0;

CREATE TABLE "recent_windows" (
    "range" TEXT NOT NULL,
    "begins_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "recent_windows_pkey" PRIMARY KEY ("range")
);
INSERT INTO "recent_windows" ("range", "begins_at")
SELECT "range", date_trunc('hour', now(), 'UTC') - "length"
FROM (VALUES ('24h', interval '24 hours'), ('7d', interval '168 hours'), ('30d', interval '720 hours')) AS "ranges"("range", "length");

-- What was settled before is summed up once, from the rollups.
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused")
SELECT "tenant_id", '5m', CASE WHEN GROUPING("model") = 0 THEN 'model' WHEN GROUPING("provider_id") = 0 THEN 'provider' ELSE '' END,
  "bucket", coalesce("model", "provider_id", ''), sum("requests"), sum("billable_requests"), sum("input_tokens"), sum("output_tokens"), sum("cache_write_5m_tokens"), sum("cache_write_1h_tokens"), sum("cache_read_tokens"), sum("cost_nano_usd"), sum("upstream_cost_nano_usd"), sum("ttft_count"), sum("ttft_ms_sum"), sum("duration_ms_sum"), sum("ttft_sketch"), sum("duration_sketch"),
  coalesce(sum("requests") FILTER (WHERE "status_class" = '3xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '4xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '5xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'aborted'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'refused'), 0)
FROM "rollups_5m" GROUP BY GROUPING SETS (("tenant_id", "bucket"), ("tenant_id", "bucket", "model"), ("tenant_id", "bucket", "provider_id"));
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused")
SELECT "tenant_id", 'hour', CASE WHEN GROUPING("model") = 0 THEN 'model' WHEN GROUPING("provider_id") = 0 THEN 'provider' ELSE '' END,
  "bucket", coalesce("model", "provider_id", ''), sum("requests"), sum("billable_requests"), sum("input_tokens"), sum("output_tokens"), sum("cache_write_5m_tokens"), sum("cache_write_1h_tokens"), sum("cache_read_tokens"), sum("cost_nano_usd"), sum("upstream_cost_nano_usd"), sum("ttft_count"), sum("ttft_ms_sum"), sum("duration_ms_sum"), sum("ttft_sketch"), sum("duration_sketch"),
  coalesce(sum("requests") FILTER (WHERE "status_class" = '3xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '4xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '5xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'aborted'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'refused'), 0)
FROM "rollups_hour" GROUP BY GROUPING SETS (("tenant_id", "bucket"), ("tenant_id", "bucket", "model"), ("tenant_id", "bucket", "provider_id"));
INSERT INTO "usage_sums" ("tenant_id", "grain", "kind", "bucket", "id", "requests", "billable_requests", "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "cost_nano_usd", "upstream_cost_nano_usd", "ttft_count", "ttft_ms_sum", "duration_ms_sum", "ttft_sketch", "duration_sketch", "requests_3xx", "requests_4xx", "requests_5xx", "requests_aborted", "requests_refused")
SELECT "tenant_id", 'day', CASE WHEN GROUPING("model") = 0 THEN 'model' WHEN GROUPING("provider_id") = 0 THEN 'provider' ELSE '' END,
  "bucket", coalesce("model", "provider_id", ''), sum("requests"), sum("billable_requests"), sum("input_tokens"), sum("output_tokens"), sum("cache_write_5m_tokens"), sum("cache_write_1h_tokens"), sum("cache_read_tokens"), sum("cost_nano_usd"), sum("upstream_cost_nano_usd"), sum("ttft_count"), sum("ttft_ms_sum"), sum("duration_ms_sum"), sum("ttft_sketch"), sum("duration_sketch"),
  coalesce(sum("requests") FILTER (WHERE "status_class" = '3xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '4xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = '5xx'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'aborted'), 0), coalesce(sum("requests") FILTER (WHERE "status_class" = 'refused'), 0)
FROM "rollups_day" GROUP BY GROUPING SETS (("tenant_id", "bucket"), ("tenant_id", "bucket", "model"), ("tenant_id", "bucket", "provider_id"));

UPDATE "key_totals" AS "t" SET "requests_24h" = "s"."requests_24h", "errors_24h" = "s"."errors_24h", "tokens_24h" = "s"."tokens_24h", "cost_nano_usd_24h" = "s"."cost_nano_usd_24h", "requests_7d" = "s"."requests_7d", "errors_7d" = "s"."errors_7d", "tokens_7d" = "s"."tokens_7d", "cost_nano_usd_7d" = "s"."cost_nano_usd_7d", "requests_30d" = "s"."requests_30d", "errors_30d" = "s"."errors_30d", "tokens_30d" = "s"."tokens_30d", "cost_nano_usd_30d" = "s"."cost_nano_usd_30d"
FROM (
  SELECT "key_id",
    coalesce(sum("requests") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "requests_24h",
    coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx') AND "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "errors_24h",
    coalesce(sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "tokens_24h",
    coalesce(sum("cost_nano_usd") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "cost_nano_usd_24h",
    coalesce(sum("requests") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "requests_7d",
    coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx') AND "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "errors_7d",
    coalesce(sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "tokens_7d",
    coalesce(sum("cost_nano_usd") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "cost_nano_usd_7d",
    coalesce(sum("requests") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "requests_30d",
    coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx') AND "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "errors_30d",
    coalesce(sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "tokens_30d",
    coalesce(sum("cost_nano_usd") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "cost_nano_usd_30d"
  FROM "rollups_hour"
  WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d') AND "user_id" ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
  GROUP BY 1) AS "s"
WHERE "s"."key_id" = "t"."key_id"::text;

UPDATE "user_totals" AS "t" SET "requests_24h" = "s"."requests_24h", "errors_24h" = "s"."errors_24h", "tokens_24h" = "s"."tokens_24h", "cost_nano_usd_24h" = "s"."cost_nano_usd_24h", "requests_7d" = "s"."requests_7d", "errors_7d" = "s"."errors_7d", "tokens_7d" = "s"."tokens_7d", "cost_nano_usd_7d" = "s"."cost_nano_usd_7d", "requests_30d" = "s"."requests_30d", "errors_30d" = "s"."errors_30d", "tokens_30d" = "s"."tokens_30d", "cost_nano_usd_30d" = "s"."cost_nano_usd_30d"
FROM (
  SELECT "user_id",
    coalesce(sum("requests") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "requests_24h",
    coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx') AND "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "errors_24h",
    coalesce(sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "tokens_24h",
    coalesce(sum("cost_nano_usd") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '24h')), 0) AS "cost_nano_usd_24h",
    coalesce(sum("requests") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "requests_7d",
    coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx') AND "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "errors_7d",
    coalesce(sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "tokens_7d",
    coalesce(sum("cost_nano_usd") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '7d')), 0) AS "cost_nano_usd_7d",
    coalesce(sum("requests") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "requests_30d",
    coalesce(sum("requests") FILTER (WHERE "status_class" IN ('4xx', '5xx') AND "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "errors_30d",
    coalesce(sum("input_tokens" + "output_tokens" + "cache_write_5m_tokens" + "cache_write_1h_tokens" + "cache_read_tokens") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "tokens_30d",
    coalesce(sum("cost_nano_usd") FILTER (WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')), 0) AS "cost_nano_usd_30d"
  FROM "rollups_hour"
  WHERE "bucket" >= (SELECT "begins_at" FROM "recent_windows" WHERE "range" = '30d')
  GROUP BY 1) AS "s"
WHERE "s"."user_id" = "t"."user_id"::text;
