import { timeOfId } from "@sluice/core/ids";
import type { AuditEntry } from "@sluice/db/generated/client";
import type { Ctx } from "../context.ts";
import type { AuditView } from "./audit-view.ts";

/** Stored entries with their actors' names, which one query reads for all of them. */
export async function toAuditViews(ctx: Ctx, rows: readonly AuditEntry[]): Promise<AuditView[]> {
  const ids = [...new Set(rows.flatMap(({ actorId }) => actorId || []))];
  const users =
    ids.length === 0
      ? []
      : await ctx.prisma.user.findMany({
          where: { tenantId: ctx.tenantId, id: { in: ids } },
          select: { id: true, name: true, email: true },
        });
  const byId = new Map(users.map((user) => [user.id, user]));
  return rows.map((row) => ({
    id: row.id,
    atMs: timeOfId(row.id),
    actor: {
      kind: row.actorKind as AuditView["actor"]["kind"],
      id: row.actorId,
      name: byId.get(row.actorId)?.name ?? "",
      email: byId.get(row.actorId)?.email ?? "",
    },
    action: row.action,
    outcome: row.outcome === "denied" ? "denied" : "done",
    targetKind: row.targetKind,
    targetId: row.targetId,
    before: objectOf(row.before),
    after: objectOf(row.after),
    ip: row.ip,
    requestId: row.requestId,
  }));
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}
