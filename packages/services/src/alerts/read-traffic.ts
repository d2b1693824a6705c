import type { AlertReading } from "@sluice/core/alerts/judge-reading";
import { quantileMs, readSketch } from "@sluice/core/latency-sketch";
import type { Ctx } from "../context.ts";
import type { AlertRuleView } from "./alert-view.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const PERCENTILE = 0.95;

interface Sums {
  requests: number;
  errors: number;
  inputTokens: number;
  cacheReadTokens: number;
  /** nano-USD. */
  cost: string;
  ttftCount: number;
  ttftSketch: string;
  durationSketch: string;
}

const measures = `coalesce(sum(input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens), 0)::float8 AS "inputTokens",
  coalesce(sum(cache_read_tokens), 0)::float8 AS "cacheReadTokens", coalesce(sum(ttft_count), 0)::float8 AS "ttftCount",
  coalesce(sum(ttft_sketch), 0)::text AS "ttftSketch", coalesce(sum(duration_sketch), 0)::text AS "durationSketch"`;

/**
 * A rule's figure over its window: whole buckets of the rollups, from the one in which the window begins. As everywhere, errors are the
 * classes 4xx and 5xx. Percentiles are within 5 % (core/latency-sketch).
 */
export async function readTraffic(ctx: Ctx, rule: AlertRuleView): Promise<AlertReading> {
  const sums = await readSums(ctx, rule);
  const { requests } = sums;
  switch (rule.kind) {
    case "cost":
      return { value: Number(sums.cost) / 1e9, requests };
    case "error_rate":
      return { value: percentOf(sums.errors, requests), requests };
    case "ttft":
      return { value: quantileMs(readSketch(sums.ttftSketch), PERCENTILE), requests: sums.ttftCount };
    case "response_time":
      return { value: quantileMs(readSketch(sums.durationSketch), PERCENTILE), requests };
    case "prompt_cache_hit_rate":
      return { value: percentOf(sums.cacheReadTokens, sums.inputTokens), requests };
    default:
      throw new Error(`${rule.kind} is not of the traffic`);
  }
}

function percentOf(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}

async function readSums({ pool, tenantId, clock }: Ctx, { scope, scopeId, windowMinutes }: AlertRuleView): Promise<Sums> {
  const isLong = windowMinutes > DAY_MINUTES;
  const bucketMs = (isLong ? 60 : 5) * MINUTE_MS;
  const fromMs = Math.floor((clock.now() - windowMinutes * MINUTE_MS) / bucketMs) * bucketMs;
  const cost = scope === "provider" ? "upstream_cost_nano_usd" : "cost_nano_usd";
  const head = `SELECT coalesce(sum(requests), 0)::float8 AS requests, coalesce(sum(${cost}), 0)::text AS cost, ${measures}`;
  const isOwner = scope === "key" || scope === "user";
  const text = isOwner
    ? `${head}, coalesce(sum(requests) FILTER (WHERE status_class IN ('4xx', '5xx')), 0)::float8 AS errors
       FROM ${isLong ? "rollups_hour" : "rollups_5m"} WHERE tenant_id = $1 AND bucket >= $2 AND ${scope}_id = $3`
    : `${head}, coalesce(sum(requests_4xx + requests_5xx), 0)::float8 AS errors
       FROM usage_sums WHERE tenant_id = $1 AND bucket >= $2 AND id = $3 AND grain = $4 AND kind = $5`;
  const values = [tenantId, new Date(fromMs), scopeId];
  if (!isOwner) values.push(isLong ? "hour" : "5m", scope === "all" ? "" : scope);
  const { rows } = await pool.query<Sums>(text, values);
  if (!rows[0]) throw new Error("a sum has a row");
  return rows[0];
}
