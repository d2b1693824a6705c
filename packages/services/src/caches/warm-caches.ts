import { overviewRanges } from "@sluice/core/overview-range";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { getLatency } from "../overview/get-latency.ts";
import { getLeaderboard } from "../statistics/get-leaderboard.ts";
import { getSeries } from "../statistics/get-series.ts";
import { getUsage } from "../statistics/get-usage.ts";
import { listFilterOptions } from "../statistics/list-filter-options.ts";

export const WARM_EVERY_MS = 600_000;

/** What an administrator's pages read first: expensive for the first reader, and the same for all administrators. */
const readings: readonly ((ctx: Ctx) => Promise<unknown>)[] = [
  ...overviewRanges.map((range) => (ctx: Ctx) => getLatency(ctx, { range })),
  (ctx) => getUsage(ctx),
  (ctx) => getSeries(ctx),
  (ctx) => listFilterOptions(ctx),
  ...(["users", "keys", "providers", "models"] as const).map((of) => (ctx: Ctx) => getLeaderboard(ctx, { of })),
];

/**
 * Computes the most requested answers one after another, so that nobody waits for them. One instance of all does so, once in ten minutes.
 * Returns the number of answers handled; 0 when it was not this instance's turn.
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
