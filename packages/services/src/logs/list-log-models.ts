import { cached } from "@sluice/cache/cached";
import { listModels } from "@sluice/ledger/models";
import { cacheScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { storedScope } from "./shape-log.ts";

/**
 * Models a filter may name: those asked for in the last 30 days, own ones for users. Kept for five minutes; new ones reach viewers with
 * the requests that ask for them.
 */
export async function listLogModels(ctx: Ctx): Promise<string[]> {
  requireAccess(ctx.actor, "key");
  const { userId, keyId } = storedScope(ctx);
  const { value } = await cached(ctx, "default:log-models", { scope: cacheScope(ctx), input: null }, () =>
    listModels(ctx.pool, { tenantId: ctx.tenantId, userId, keyId }),
  );
  return value;
}
