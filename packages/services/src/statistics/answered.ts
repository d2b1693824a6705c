import { cached } from "@sluice/cache/cached";
import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Answer } from "@sluice/core/statistics";
import { cacheScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { awaitSettled } from "./recent-ends.ts";

/**
 * A cached answer about the past, with the time it was computed. `asked` holds everything it depends on besides the actor. Requests that
 * ended before `fromMs` (ms since the epoch) are settled when `compute` runs.
 */
export async function answered<T extends object>(
  ctx: Ctx,
  name: `${CacheKind}:${string}`,
  asked: object,
  compute: (fromMs: number) => Promise<T>,
): Promise<Answer<T>> {
  const { value, ...when } = await cached(ctx, name, { scope: cacheScope(ctx), input: asked }, async () =>
    compute(await awaitSettled(ctx)),
  );
  return { ...value, ...when };
}
