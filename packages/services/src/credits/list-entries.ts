import { SluiceError } from "@sluice/core/errors";
import { ListEntriesInput } from "@sluice/core/inputs/credit";
import type { Page } from "@sluice/core/inputs/page";
import type { z } from "zod";
import { ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { EntryView } from "./credit-view.ts";
import { toEntryView } from "./to-credit-view.ts";

/**
 * Account entries (everything that moved an account except requests), newest first, paged by keyset; for administrators those of all
 * users unless one is named.
 * @throws SluiceError `not_found` (another user's).
 */
export async function listEntries(ctx: Ctx, input: z.input<typeof ListEntriesInput> = {}): Promise<Page<EntryView>> {
  requireAccess(ctx.actor, "user");
  const { cursor, limit, filter } = parse(ListEntriesInput, input);
  const own = ownScope(ctx);
  if (own !== null && filter.userId !== undefined && filter.userId !== own) throw new SluiceError("not_found");
  const userId = own ?? filter.userId;
  const rows = await ctx.prisma.accountEntry.findMany({
    where: {
      // A user belongs to one tenant, so the index by user is sufficient.
      ...(userId === undefined ? { tenantId: ctx.tenantId } : { userId, tenantId: ctx.tenantId }),
      ...(filter.kind && { kind: filter.kind }),
      ...(cursor && { id: { lt: cursor } }),
    },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const items = rows.slice(0, limit).map((row) => toEntryView(ctx, row));
  const hasMore = rows.length > limit;
  return { items, nextCursor: hasMore ? (items.at(-1)?.id ?? null) : null, hasMore };
}
