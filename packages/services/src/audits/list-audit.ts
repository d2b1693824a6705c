import { firstIdAt } from "@sluice/core/ids";
import { type AuditFilter, ListAuditInput } from "@sluice/core/inputs/audit";
import type { Prisma } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { AuditPage } from "./audit-view.ts";
import { toAuditViews } from "./to-audit-views.ts";

/** Who changed what, newest first, paged by keyset: at most three queries, however long the audit log is. */
export async function listAudit(ctx: Ctx, input: z.input<typeof ListAuditInput> = {}): Promise<AuditPage> {
  requireAccess(ctx.actor, "admin");
  const { filter, cursor, limit } = parse(ListAuditInput, input);
  const rows = await ctx.prisma.auditEntry.findMany({
    where: { tenantId: ctx.tenantId, ...whereOf(filter), id: idRange(filter, cursor ?? null) },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const items = await toAuditViews(ctx, rows.slice(0, limit));
  const hasMore = rows.length > limit;
  return { items, nextCursor: hasMore ? (items.at(-1)?.id ?? null) : null, hasMore };
}

function whereOf({ actorId, actorKind, action, targetKind, targetId, outcome }: AuditFilter): Prisma.AuditEntryWhereInput {
  const given = { actorId, actorKind, action, targetKind, targetId, outcome };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Entry ids contain their time, so a time range is an id range. */
function idRange({ fromMs, toMs }: AuditFilter, cursor: string | null): Prisma.UuidFilter<"AuditEntry"> {
  const before = toMs === undefined ? null : firstIdAt(toMs + 1);
  const below = [before, cursor].filter((id) => id !== null).sort()[0];
  return { ...(fromMs !== undefined && { gte: firstIdAt(fromMs) }), ...(below !== undefined && { lt: below }) };
}
