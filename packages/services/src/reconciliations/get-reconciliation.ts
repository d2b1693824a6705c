import type { Reconciliation } from "@sluice/core/events";
import { isReconciling } from "@sluice/ledger/reconciliation";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { toReconciliation } from "./to-reconciliation.ts";

/** The newest check of the books, null before the first. One whose instance went away is `stopped`. */
export async function getReconciliation(ctx: Ctx): Promise<Reconciliation | null> {
  requireAccess(ctx.actor, "admin");
  const stored = await ctx.prisma.reconciliation.findFirst({ where: { tenantId: ctx.tenantId }, orderBy: { id: "desc" } });
  if (!stored) return null;
  const newest = toReconciliation(stored);
  return newest.state === "running" && !(await isReconciling(ctx.pool)) ? { ...newest, state: "stopped" } : newest;
}
