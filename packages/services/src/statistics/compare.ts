import { toSluiceError } from "@sluice/core/errors";
import { CompareInput, type StatisticsFilter } from "@sluice/core/inputs/statistics";
import type { Answer, Compared, CompareSplit, Comparison } from "@sluice/core/statistics";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { publicErrorOf } from "../outage.ts";
import { parse } from "../parse.ts";
import { usageOf } from "./get-usage.ts";
import type { BucketPlan } from "./plan-buckets.ts";
import { planOf, refuseSplit } from "./statistics-ask.ts";

const fieldOf: Record<CompareSplit, keyof StatisticsFilter> = {
  key: "keyId",
  user: "userId",
  provider: "providerId",
  model: "model",
  group: "group",
};

/**
 * Compares two to five items of one kind over the same range, read in parallel and cached separately. One that cannot be read is marked;
 * the others are still answered.
 * @throws SluiceError `forbidden` and `not_found` when a user names what is not theirs.
 */
export async function compare(ctx: Ctx, input: z.input<typeof CompareInput>): Promise<Answer<Comparison>> {
  requireAccess(ctx.actor, "key");
  const { by, ids, ...range } = parse(CompareInput, input);
  refuseSplit(ctx, by);
  const plan = planOf(ctx, range);
  const { zone, step, times, endMs } = plan;
  const entries = await Promise.all(ids.map((id) => comparedOf(ctx, plan, { by, id })));
  const answers = entries.filter((entry) => !entry.failed);
  return {
    ...{ zone, step, times, endMs, by, entries },
    asOf: Math.min(ctx.clock.now(), ...answers.map(({ asOf }) => asOf)),
    cache: answers.length > 0 && answers.every(({ cache }) => cache === "hit") ? "hit" : "miss",
  };
}

async function comparedOf(ctx: Ctx, plan: BucketPlan, { by, id }: { by: CompareSplit; id: string }): Promise<Compared> {
  try {
    const { recent: _, ...usage } = await usageOf(ctx, plan, { [fieldOf[by]]: id });
    return { id, failed: false, ...usage };
  } catch (thrown) {
    const { code, message } = publicErrorOf(thrown);
    if (code === "forbidden" || code === "not_found") throw thrown;
    if (code === "internal")
      ctx.log.error({ requestId: ctx.requestId, detail: toSluiceError(thrown).detail }, "a comparison failed in part");
    return { id, failed: true, code, message };
  }
}
