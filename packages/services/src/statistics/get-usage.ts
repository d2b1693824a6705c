import { GetUsageInput, type StatisticsFilter } from "@sluice/core/inputs/statistics";
import type { Answer, Answered, Span, Usage } from "@sluice/core/statistics";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { wholeHour } from "../overview/overview-statements.ts";
import { parse } from "../parse.ts";
import { answered } from "./answered.ts";
import type { BucketPlan } from "./plan-buckets.ts";
import { readUsage, type UsageSpan } from "./read-usage.ts";
import { recentAsk } from "./recent-ends.ts";
import { fineFrom, nowEdge, planOf, sumsAsk } from "./statistics-ask.ts";

/**
 * Usage in a range, by bucket and in total, compared with the span of the same length before it.
 * @throws SluiceError `forbidden` and `not_found` for what a user must not see, `invalid_request` for a step too fine.
 */
export async function getUsage(ctx: Ctx, input: z.input<typeof GetUsageInput> = {}): Promise<Answer<Usage>> {
  requireAccess(ctx.actor, "key");
  const { filter, ...range } = parse(GetUsageInput, input);
  const plan = planOf(ctx, range);
  const { zone, step, times, endMs } = plan;
  return { zone, step, times, endMs, ...(await usageOf(ctx, plan, filter)) };
}

/** Read and cached individually: a comparison of five makes five of these. */
export async function usageOf(ctx: Ctx, plan: BucketPlan, filter: StatisticsFilter): Promise<UsageSpan & Answered> {
  const { zone, step, times, endMs } = plan;
  const fineFromMs = fineFrom(ctx);
  const ask = await sumsAsk(ctx, filter);
  const previous = previousOf(ctx, plan, fineFromMs);
  const asked = { fromMs: times[0], toMs: endMs, step, zone, previous, ask };
  return answered(ctx, "trend:usage", asked, (fromMs) => {
    return readUsage(ctx.pool, { plan, ask, previous, fineFromMs, recent: recentAsk(ctx, fromMs) });
  });
}

/** The preceding range; for a range that is still going on, only as much of it as has passed. */
function previousOf(ctx: Ctx, { times, endMs }: BucketPlan, fineFromMs: number): Span {
  const fromMs = times[0] ?? endMs;
  const beforeMs = fromMs - (endMs - fromMs);
  const passedMs = Math.max(0, Math.min(endMs, nowEdge(ctx)) - fromMs);
  return { fromMs: wholeHour(beforeMs, fineFromMs), toMs: wholeHour(beforeMs + passedMs, fineFromMs) };
}
