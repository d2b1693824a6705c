import { cached } from "@sluice/cache/cached";
import type { CacheKind } from "@sluice/core/cache-kinds";
import type { Answer } from "@sluice/core/statistics";
import { rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";

/**
 * An answer about the past, computed or kept, with when that was and which. `asked` is all that it depends on: also whose key asks, so
 * that who holds a key and its owner share none.
 */
export async function answered<T extends object>(
  ctx: Ctx,
  name: `${CacheKind}:${string}`,
  asked: object,
  compute: () => Promise<T>,
): Promise<Answer<T>> {
  const { userId, keyId } = rowScope(ctx);
  const scope = { tenantId: ctx.tenantId, role: userId === null ? "admin" : "user", userId } as const;
  const { value, ...when } = await cached(ctx, name, { scope, input: { ...asked, byKey: keyId } }, compute);
  return { ...value, ...when };
}
