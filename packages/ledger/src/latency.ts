import type { LogFilter } from "@sluice/core/inputs/log";
import { type LatencyCounts, readSketch } from "@sluice/core/latency-sketch";
import type pg from "pg";
import { type HistogramSpan, rollupConditions, rollupTableOf } from "./histogram.ts";

/** Time to first content and total duration of requests, from the rollups, for any filter and range. */
export interface Latency {
  ttft: LatencyCounts;
  duration: LatencyCounts;
}

/** Merges the sketches of a span; quantiles are read from them (core/latency-sketch). */
export async function readLatency(
  pool: pg.Pool,
  query: { tenantId: string; filter: LogFilter; scope: { userId?: string | undefined; keyId?: string | undefined }; span: HistogramSpan },
): Promise<Latency> {
  const values: unknown[] = [];
  const where = rollupConditions((value) => `$${values.push(value)}`, query);
  const { rows } = await pool.query<{ ttft: string; duration: string }>(
    `SELECT coalesce(sum(ttft_sketch), 0)::text AS ttft, coalesce(sum(duration_sketch), 0)::text AS duration
     FROM ${rollupTableOf(query.span.stepMs)} WHERE ${where.join(" AND ")}`,
    values,
  );
  return { ttft: readSketch(rows[0]?.ttft ?? "0"), duration: readSketch(rows[0]?.duration ?? "0") };
}
