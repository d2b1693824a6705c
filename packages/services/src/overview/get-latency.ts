import type { Cached } from "@sluice/cache/cache";
import { cached } from "@sluice/cache/cached";
import { SluiceError } from "@sluice/core/errors";
import { GetLatencyInput } from "@sluice/core/inputs/overview";
import { type LatencyCounts, quantileMs } from "@sluice/core/latency-sketch";
import type { OverviewRange } from "@sluice/core/overview-range";
import { readLatency } from "@sluice/ledger/latency";
import type { z } from "zod";
import { cacheScope, ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";

/** ms, each within 5 % of the true one; null when nothing was measured. */
export interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
  requests: number;
}

/** How long settled requests took until their first content and until their end. */
export interface LatencyView {
  ttft: Percentiles;
  duration: Percentiles;
}

/** With when it was read, ms since the epoch, and whether that was before this call. */
export type LatencyAnswer = LatencyView & Pick<Cached<LatencyView>, "asOf" | "cache">;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How far back, and in steps of which sums. */
const spans: Record<OverviewRange, [lengthMs: number, stepMs: number]> = {
  "24h": [DAY_MS, 5 * MINUTE_MS],
  "7d": [7 * DAY_MS, HOUR_MS],
  "30d": [30 * DAY_MS, DAY_MS],
};

/**
 * Percentiles of a range up to now, from the sketches of the rollups: read once a minute at most, by nobody's timer.
 * @throws SluiceError `forbidden` when a user asks for a provider.
 */
export async function getLatency(ctx: Ctx, input: z.input<typeof GetLatencyInput> = {}): Promise<LatencyAnswer> {
  requireAccess(ctx.actor, "user");
  const { range, providerId } = parse(GetLatencyInput, input);
  const userId = ownScope(ctx) ?? undefined;
  if (userId !== undefined && providerId !== undefined) throw new SluiceError("forbidden", { field: "providerId" });
  const { value, ...when } = await cached(ctx, "dashboard:latency", { scope: cacheScope(ctx), input: { range, providerId } }, async () => {
    const [lengthMs, stepMs] = spans[range];
    const nowMs = ctx.clock.now();
    const span = { fromMs: Math.floor((nowMs - lengthMs) / stepMs) * stepMs, toMs: Math.ceil((nowMs + 1) / stepMs) * stepMs, stepMs };
    const filter = providerId === undefined ? {} : { providerId };
    const { ttft, duration } = await readLatency(ctx.pool, { tenantId: ctx.tenantId, filter, scope: { userId }, span });
    return { ttft: percentiles(ttft), duration: percentiles(duration) };
  });
  return { ...value, ...when };
}

function percentiles(counts: LatencyCounts): Percentiles {
  const of = (share: number): number | null => quantileMs(counts, share);
  return { p50: of(0.5), p95: of(0.95), p99: of(0.99), requests: counts.reduce((sum, count) => sum + count, 0) };
}
