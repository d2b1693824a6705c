import type { Reconciliation } from "@sluice/core/events";
import { isReconciling } from "@sluice/ledger/reconciliation";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { toReconciliation } from "./to-reconciliation.ts";

/** The latest reconciliation, or null before the first. One whose instance is gone counts as `stopped`. */
export async function getReconciliation(ctx: Ctx): Promise<Reconciliation | null> {
  requireAccess(ctx.actor, "admin");
  const newest = await readNewest(ctx);
  if (newest?.state !== "running" || (await isReconciling(ctx.pool))) return newest;
  // The end is recorded before the lock is released, so it may have come between the two queries.
  const again = await readNewest(ctx);
  return again?.state === "running" && again.id === newest.id ? { ...again, state: "stopped" } : again;
}

async function readNewest({ prisma, tenantId }: Ctx): Promise<Reconciliation | null> {
  const stored = await prisma.reconciliation.findFirst({ where: { tenantId }, orderBy: { id: "desc" } });
  return stored && toReconciliation(stored);
}
