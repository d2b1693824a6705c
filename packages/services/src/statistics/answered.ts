import { cached } from "@sluice/cache/cached";
import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Answer } from "@sluice/core/statistics";
import { cacheScope } from "../access.ts";
import type { Ctx } from "../context.ts";

/** An answer about the past, computed or kept, with when that was and which. `asked` is all that it depends on beside who asks. */
export async function answered<T extends object>(
  ctx: Ctx,
  name: `${CacheKind}:${string}`,
  asked: object,
  compute: () => Promise<T>,
): Promise<Answer<T>> {
  const { value, ...when } = await cached(ctx, name, { scope: cacheScope(ctx), input: asked }, compute);
  return { ...value, ...when };
}
