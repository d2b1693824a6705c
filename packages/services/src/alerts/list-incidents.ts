import { ListIncidentsInput } from "@sluice/core/inputs/alert";
import type { Page } from "@sluice/core/inputs/page";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { AlertIncidentView } from "./alert-view.ts";
import { toIncidentView } from "./to-alert-view.ts";

/** A longer list would tell a reader no more than a count does. */
const MOST_OPEN = 200;

/** The open incidents, newest first. */
export async function listOpenIncidents(ctx: Ctx): Promise<AlertIncidentView[]> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.alertIncident.findMany({
    where: { tenantId: ctx.tenantId, resolvedAt: null },
    include: { deliveries: true },
    orderBy: { id: "desc" },
    take: MOST_OPEN,
  });
  return rows.map(toIncidentView);
}

/** Resolved incidents, newest first, paged by keyset. */
export async function listPastIncidents(ctx: Ctx, input: z.input<typeof ListIncidentsInput> = {}): Promise<Page<AlertIncidentView>> {
  requireAccess(ctx.actor, "admin");
  const { cursor, limit } = parse(ListIncidentsInput, input);
  const rows = await ctx.prisma.alertIncident.findMany({
    where: { tenantId: ctx.tenantId, resolvedAt: { not: null }, ...(cursor && { id: { lt: cursor } }) },
    include: { deliveries: true },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const items = rows.slice(0, limit).map(toIncidentView);
  const hasMore = rows.length > limit;
  return { items, nextCursor: hasMore ? (items.at(-1)?.id ?? null) : null, hasMore };
}
