import { cached } from "@sluice/cache/cached";
import { listModels } from "@sluice/ledger/models";
import { cacheScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { storedScope } from "./shape-log.ts";

/**
 * Models that a filter can offer: those requested in the last 30 days, for users only by themselves. Cached for five minutes; viewers
 * learn of newer models from the requests themselves.
 */
export async function listLogModels(ctx: Ctx): Promise<string[]> {
  requireAccess(ctx.actor, "key");
  const { userId, keyId } = storedScope(ctx);
  const { value } = await cached(ctx, "default:log-models", { scope: cacheScope(ctx), input: null }, () =>
    listModels(ctx.pool, { tenantId: ctx.tenantId, userId, keyId }),
  );
  return value;
}
