import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { withTransaction } from "../transaction.ts";

/** Resets the cache counters on every instance to zero; the entries stay. */
export async function resetCacheFigures(ctx: Ctx): Promise<void> {
  requireAccess(ctx.actor, "admin");
  await withTransaction(ctx, (ctx) => audit(ctx, { action: "cache.reset-figures", targetKind: "cache", targetId: "" }));
  await ctx.cache.resetFigures();
  ctx.live.instances.tell();
}
