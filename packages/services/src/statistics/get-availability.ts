import { GetAvailabilityInput } from "@sluice/core/inputs/statistics";
import type { Answer, Availability } from "@sluice/core/statistics";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { answered } from "./answered.ts";
import { readAvailability } from "./read-availability.ts";
import { planOf } from "./statistics-ask.ts";

/** Availability of each provider and its models: outcomes of requests by bucket, and percentiles over the range. */
export async function getAvailability(ctx: Ctx, input: z.input<typeof GetAvailabilityInput> = {}): Promise<Answer<Availability>> {
  requireAccess(ctx.actor, "admin");
  const { providerId, model, ...range } = parse(GetAvailabilityInput, input);
  const plan = planOf(ctx, range);
  const { zone, step, times, endMs } = plan;
  const asked = { fromMs: times[0], toMs: endMs, step, zone, providerId, model };
  return answered(ctx, "stats:availability", asked, async () => {
    const { rows, total } = await readAvailability(ctx.pool, { tenantId: ctx.tenantId, plan, providerId, model });
    return { zone, step, times, endMs, rows, total };
  });
}
