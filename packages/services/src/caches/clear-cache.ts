import { ClearCacheInput } from "@sluice/core/inputs/cache";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";

/** Evicts every entry of a kind on all instances, so that the next read computes. Returns the number of entries. */
export async function clearCache(ctx: Ctx, input: ClearCacheInput): Promise<{ cleared: number }> {
  requireAccess(ctx.actor, "admin");
  const { kind } = parse(ClearCacheInput, input);
  await withTransaction(ctx, (ctx) => audit(ctx, { action: "cache.clear", targetKind: "cache", targetId: kind }));
  const cleared = await ctx.cache.clear(kind);
  ctx.live.instances.tell();
  return { cleared };
}
