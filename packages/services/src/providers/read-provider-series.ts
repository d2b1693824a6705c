import { sharedReading } from "@sluice/core/shared-reading";
import { epochMs } from "@sluice/db/epoch-ms";
import type { Pool } from "pg";
import type { Ctx } from "../context.ts";
import { awaitSettled, recentIdsSql } from "../statistics/recent-ends.ts";
import type { ProviderSeries } from "./provider-view.ts";

const BUCKET_MS = 5 * 60_000;
const BUCKETS = 36;
/** The page must not wait for a Postgres that does not answer. */
const DEADLINE_MS = 1_500;

/** Also reads the recent ends that are included: one statement, so one snapshot. */
const sql = `SELECT ARRAY(${recentIdsSql}) AS ids, (SELECT json_agg(s) FROM (
  SELECT provider_id AS id, ${epochMs("bucket")} AS "bucketMs", sum(requests)::float8 AS requests,
    coalesce(sum(requests) FILTER (WHERE status_class IN ('4xx', '5xx')), 0)::float8 AS errors,
    sum(ttft_ms_sum)::float8 AS "ttftMs", sum(ttft_count)::float8 AS ttfts
  FROM rollups_5m WHERE tenant_id = $1 AND bucket >= $3 AND provider_id <> '' GROUP BY 1, 2) AS s) AS rows`;

interface Row {
  id: string;
  bucketMs: number;
  requests: number;
  errors: number;
  ttftMs: number;
  ttfts: number;
}

/** Concurrent readers share one query. Nothing is cached: a cached answer would lack what ended since, and no event would add it. */
const readings = new WeakMap<Pool, () => Promise<ProviderSeries>>();

/** The last three hours of every provider in five-minute buckets, from the rollups; null when Postgres does not answer in time. */
export function readProviderSeries({ pool, live, clock, tenantId }: Ctx): Promise<ProviderSeries | null> {
  const reading = readings.get(pool) ?? sharedReading(() => query({ pool, live, clock, tenantId }));
  readings.set(pool, reading);
  return within(reading());
}

async function query(ctx: Pick<Ctx, "pool" | "live" | "clock" | "tenantId">): Promise<ProviderSeries> {
  const fromMs = Math.floor(ctx.clock.now() / BUCKET_MS) * BUCKET_MS - (BUCKETS - 1) * BUCKET_MS;
  const settledToMs = await awaitSettled(ctx, 0);
  const values = [ctx.tenantId, new Date(settledToMs), new Date(fromMs)];
  const { rows: answers } = await ctx.pool.query<{ ids: string[]; rows: Row[] | null }>(sql, values);
  const [{ ids, rows } = { ids: [], rows: null }] = answers;
  const byId = new Map<string, ProviderSeries["providers"][number]>();
  const zeros = (): number[] => new Array<number>(BUCKETS).fill(0);
  for (const row of rows ?? []) {
    const at = Math.round((row.bucketMs - fromMs) / BUCKET_MS);
    if (at < 0 || at >= BUCKETS) continue;
    const series = byId.get(row.id) ?? { providerId: row.id, requests: zeros(), errors: zeros(), ttftMs: zeros(), ttfts: zeros() };
    byId.set(row.id, series);
    for (const figure of ["requests", "errors", "ttftMs", "ttfts"] as const) series[figure][at] = row[figure];
  }
  return { fromMs, bucketMs: BUCKET_MS, providers: [...byId.values()], recent: { fromMs: settledToMs, ids } };
}

async function within(work: Promise<ProviderSeries>): Promise<ProviderSeries | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), DEADLINE_MS);
  });
  return Promise.race([work.catch(() => null), late]).finally(() => clearTimeout(timer));
}
