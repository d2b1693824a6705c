import { GetAvailabilityInput } from "@sluice/core/inputs/statistics";
import type { Answer, Availability } from "@sluice/core/statistics";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { answered } from "./answered.ts";
import type { BucketPlan } from "./plan-buckets.ts";
import { mostBuckets, readAvailability } from "./read-availability.ts";
import { planOf } from "./statistics-ask.ts";

/** With fewer buckets an automatic step would tell little: rather not all rows. */
const LEAST_BUCKETS = 24;

/**
 * Availability of each provider and its models: outcomes of requests by bucket, and percentiles over the range. Where not all rows fit the
 * answer, an automatic step becomes coarser.
 */
export async function getAvailability(ctx: Ctx, input: z.input<typeof GetAvailabilityInput> = {}): Promise<Answer<Availability>> {
  requireAccess(ctx.actor, "admin");
  const { providerId, model, ...range } = parse(GetAvailabilityInput, input);
  const finest = planOf(ctx, range);
  const { zone, times, endMs } = finest;
  const asked = { fromMs: times[0], toMs: endMs, step: range.step, zone, providerId, model };
  return answered(ctx, "stats:availability", asked, async () => {
    const read = async (plan: BucketPlan): Promise<Availability> => {
      const { rows, total } = await readAvailability(ctx.pool, { tenantId: ctx.tenantId, plan, providerId, model });
      return { zone, step: plan.step, times: plan.times, endMs: plan.endMs, rows, total };
    };
    const answer = await read(finest);
    if (range.step !== "auto" || answer.rows.length === answer.total) return answer;
    // One fewer: a range that begins within a bucket has one more.
    const coarser = planOf(ctx, range, Math.max(LEAST_BUCKETS, mostBuckets(answer.total) - 1));
    return coarser.step === finest.step ? answer : read(coarser);
  });
}
