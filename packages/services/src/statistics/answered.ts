import { cached } from "@sluice/cache/cached";
import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Answer } from "@sluice/core/statistics";
import { cacheScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { awaitSettled } from "./recent-ends.ts";

/**
 * An answer about the past, computed or kept, with when that was and which. `asked` is all that it depends on beside who asks. What ended
 * before `fromMs`, ms since the epoch, is settled by then.
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
