import type { Cached } from "@sluice/cache/cache";
import { cached } from "@sluice/cache/cached";
import { SluiceError } from "@sluice/core/errors";
import { GetLatencyInput } from "@sluice/core/inputs/overview";
import { type Percentiles, percentilesOf } from "@sluice/core/latency-sketch";
import type { OverviewRange } from "@sluice/core/overview-range";
import { DAY_MS, HOUR_MS } from "@sluice/core/time-zone";
import { readLatency } from "@sluice/ledger/latency";
import type { z } from "zod";
import { cacheScope, ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";

/** Percentiles of time to first content and of duration, of settled requests. */
export interface LatencyView {
  ttft: Percentiles;
  duration: Percentiles;
}

/** Also tells when it was read (`asOf`, ms since the epoch) and whether it came from the cache. */
export type LatencyAnswer = LatencyView & Pick<Cached<LatencyView>, "asOf" | "cache">;

const MINUTE_MS = 60_000;
/** Length of each range, and the step of the sums that it is read from. */
const spans: Record<OverviewRange, [lengthMs: number, stepMs: number]> = {
  "24h": [DAY_MS, 5 * MINUTE_MS],
  "7d": [7 * DAY_MS, HOUR_MS],
  "30d": [30 * DAY_MS, DAY_MS],
};

/**
 * Percentiles of a range up to now, from the sketches of the rollups. Cached for a minute, and read only on demand.
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
    return { ttft: percentilesOf(ttft), duration: percentilesOf(duration) };
  });
  return { ...value, ...when };
}
