import { overviewRanges } from "@sluice/core/overview-range";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { getLatency } from "../overview/get-latency.ts";
import { getLeaderboard } from "../statistics/get-leaderboard.ts";
import { getSeries } from "../statistics/get-series.ts";
import { getUsage } from "../statistics/get-usage.ts";
import { listFilterOptions } from "../statistics/list-filter-options.ts";

export const WARM_EVERY_MS = 600_000;

/** What pages ask first for administrators, who see everything: dear for the first, and the same for all of them. */
const readings: readonly ((ctx: Ctx) => Promise<unknown>)[] = [
  ...overviewRanges.map((range) => (ctx: Ctx) => getLatency(ctx, { range })),
  (ctx) => getUsage(ctx),
  (ctx) => getSeries(ctx),
  (ctx) => listFilterOptions(ctx),
  ...(["users", "keys", "providers", "models"] as const).map((of) => (ctx: Ctx) => getLeaderboard(ctx, { of })),
];

/**
 * Computes what is asked for most, one after another, so that nobody waits for it: by one instance of all, once in ten minutes. Gives
 * how many answers it saw to; 0 when another instance did.
 */
export async function warmCaches(ctx: Ctx, signal?: AbortSignal): Promise<number> {
  requireAccess(ctx.actor, "admin");
  if (!(await ctx.cache.takeTurn("warm-up", WARM_EVERY_MS))) return 0;
  let warmed = 0;
  for (const read of readings) {
    if (signal?.aborted) break;
    await read(ctx);
    warmed++;
  }
  return warmed;
}
