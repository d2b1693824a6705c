import { timeOfId } from "@sluice/core/ids";
import { type Page, PageInput } from "@sluice/core/inputs/page";
import { uuidField } from "@sluice/core/inputs/uuid";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { ProviderVersion } from "./provider-view.ts";

export const ProviderHistoryInput = PageInput.extend({ id: uuidField });

/** The audited changes of a provider, newest first. Empty for an unknown id. */
export async function listProviderHistory(ctx: Ctx, input: z.input<typeof ProviderHistoryInput>): Promise<Page<ProviderVersion>> {
  requireAccess(ctx.actor, "admin");
  const { id, cursor, limit } = parse(ProviderHistoryInput, input);
  const entries = await ctx.prisma.auditEntry.findMany({
    where: { tenantId: ctx.tenantId, targetKind: "provider", targetId: id, ...(cursor && { id: { lt: cursor } }) },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const { users } = ctx.snapshot.current();
  const hasMore = entries.length > limit;
  const page = entries.slice(0, limit);
  return {
    items: page.map((entry) => ({
      id: entry.id,
      atMs: timeOfId(entry.id),
      action: entry.action,
      actor: entry.actorKind === "user" ? (users.get(entry.actorId)?.name ?? "") : entry.actorKind,
      before: entry.before as ProviderVersion["before"],
      after: entry.after as ProviderVersion["after"],
    })),
    nextCursor: hasMore ? (page.at(-1)?.id ?? null) : null,
    hasMore,
  };
}
