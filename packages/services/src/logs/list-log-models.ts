import { listModels } from "@sluice/ledger/models";
import type { Pool } from "pg";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { storedScope } from "./shape-log.ts";

/** Models change rarely, and new ones reach viewers with the requests that ask for them. */
const KEPT_MS = 5 * 60_000;
const MOST_SCOPES = 500;

interface Kept {
  atMs: number;
  models: Promise<string[]>;
}

const keptOf = new WeakMap<Pool, Map<string, Kept>>();

/** Models a filter may name: those asked for in the last 30 days, own ones for users. Kept for five minutes. */
export function listLogModels(ctx: Ctx): Promise<string[]> {
  requireAccess(ctx.actor, "key");
  const { userId, keyId } = storedScope(ctx);
  const kept = keptOf.get(ctx.pool) ?? new Map<string, Kept>();
  keptOf.set(ctx.pool, kept);
  const scope = `${ctx.tenantId}:${userId ?? ""}:${keyId ?? ""}`;
  const known = kept.get(scope);
  if (known && ctx.clock.now() - known.atMs < KEPT_MS) return known.models;
  if (kept.size >= MOST_SCOPES) kept.clear();
  const models = listModels(ctx.pool, { tenantId: ctx.tenantId, userId, keyId });
  kept.set(scope, { atMs: ctx.clock.now(), models });
  models.catch(() => kept.delete(scope));
  return models;
}
