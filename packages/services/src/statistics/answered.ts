import type { Answer } from "@sluice/core/statistics";
import type { Ctx } from "../context.ts";

/** Computes an answer, and says when that was. */
export async function answered<T extends object>(ctx: Ctx, _asked: unknown, compute: () => Promise<T>): Promise<Answer<T>> {
  const asOf = ctx.clock.now();
  return { ...(await compute()), asOf, cache: "bypass" };
}
