import { GetSeriesInput } from "@sluice/core/inputs/statistics";
import type { Answer, Statistics } from "@sluice/core/statistics";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { answered } from "./answered.ts";
import { readSeries } from "./read-series.ts";
import { recentAsk } from "./recent-ends.ts";
import { fineFrom, planOf, refuseSplit, sumsAsk } from "./statistics-ask.ts";

/** Limit on bucket × series in an answer, nine values each: with a large gateway's figures it stays below 50 KB. */
const MOST_POINTS = 700;

/**
 * Requests, tokens, cost and durations by bucket (including empty ones), split by one dimension: the most expensive series, and all
 * others together.
 * @throws SluiceError `forbidden` when a user asks for what users must not see, `invalid_request` for a step too fine.
 */
export async function getSeries(ctx: Ctx, input: z.input<typeof GetSeriesInput> = {}): Promise<Answer<Statistics>> {
  requireAccess(ctx.actor, "key");
  const { by, top, filter, ...range } = parse(GetSeriesInput, input);
  refuseSplit(ctx, by);
  const plan = planOf(ctx, range);
  const { zone, step, times, endMs } = plan;
  const most = Math.max(1, Math.min(top, Math.floor(MOST_POINTS / times.length) - 1));
  const ask = await sumsAsk(ctx, filter);
  const asked = { fromMs: times[0], toMs: endMs, step, zone, by, top: most, ask };
  return answered(ctx, "stats:series", asked, async (fromMs) => {
    const recent = recentAsk(ctx, fromMs);
    const read = await readSeries(ctx.pool, { plan, ask, by, top: most, fineFromMs: fineFrom(ctx), recent });
    return { zone, step, times, endMs, by, ...read };
  });
}
