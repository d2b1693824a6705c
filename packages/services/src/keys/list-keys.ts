import { ListKeysInput, PageKeysInput } from "@sluice/core/inputs/key";
import type { Page } from "@sluice/core/inputs/page";
import { type NumberedPage, numberedPage } from "@sluice/core/inputs/sorted-page";
import type { Recent } from "@sluice/core/statistics";
import type { z } from "zod";
import { isAdmin, requireAccess, rowScope } from "../access.ts";
import type { Ctx } from "../context.ts";
import { cursorPage } from "../lists/list-statement.ts";
import { readCountedList, readList } from "../lists/read-list.ts";
import { toUsageTotals } from "../lists/usage-totals.ts";
import { parse } from "../parse.ts";
import type { KeyItem } from "./key-view.ts";
import { countKeysStatement, type KeyRow, type KeysAsk, keysStatement } from "./keys-statement.ts";

/**
 * Keys in the requested order, from a cursor on; users see only their own, holders of a key only that key. `busId` is the bus position at
 * which the totals were read, for readers that then apply events; `recent` (only with totals) names the recent ends they include.
 */
export async function listKeys(
  ctx: Ctx,
  input: z.input<typeof ListKeysInput> = {},
): Promise<Page<KeyItem> & { busId: string; recent?: Recent }> {
  requireAccess(ctx.actor, "key");
  const { cursor, limit, fields, ...filter } = parse(ListKeysInput, input);
  const busId = await ctx.live.bus.position();
  const statement = keysStatement(askOf(ctx, filter), { cursor, limit: limit + 1 });
  const { rows, ...counted } = await readList<KeyRow>(ctx, statement, fields.includes("totals"));
  const toItem = await itemsOf(ctx, rows.slice(0, limit), fields);
  return { ...cursorPage(rows, limit, toItem), busId, ...counted };
}

/** The same by page number, with totals. */
export async function pageKeys(ctx: Ctx, input: z.input<typeof PageKeysInput> = {}): Promise<NumberedPage<KeyItem>> {
  requireAccess(ctx.actor, "user");
  const { page, pageSize, fields, ...filter } = parse(PageKeysInput, input);
  const ask = askOf(ctx, filter);
  const statement = keysStatement(ask, { limit: pageSize, offset: (page - 1) * pageSize });
  const { rows, total } = await readCountedList<KeyRow>(ctx, statement, countKeysStatement(ask));
  const toItem = await itemsOf(ctx, rows, fields);
  return numberedPage(rows.map(toItem), total, { page, pageSize });
}

function askOf(ctx: Ctx, filter: Pick<ListKeysInput, "userId" | "status" | "search" | "sort" | "order">): KeysAsk {
  const { tenantId } = ctx;
  const { userId: own, keyId } = rowScope(ctx);
  return { ...filter, tenantId, userId: own ?? filter.userId ?? null, keyId, searchesOwners: isAdmin(ctx), nowMs: ctx.clock.now() };
}

/** Creates the mapping from rows to items; owners are read once for all rows. */
async function itemsOf(ctx: Ctx, rows: readonly KeyRow[], fields: ListKeysInput["fields"]): Promise<(row: KeyRow) => KeyItem> {
  const owners = new Map<string, { name: string; email: string }>();
  if (fields.includes("owner") && isAdmin(ctx) && rows.length > 0) {
    const ids = [...new Set(rows.map(({ userId }) => userId))];
    const found = await ctx.pool.query<{ id: string; name: string; email: string }>(
      "SELECT id, name, email FROM users WHERE id = ANY ($1::uuid[])",
      [ids],
    );
    for (const { id, name, email } of found.rows) owners.set(id, { name, email });
  }
  return (row) => {
    const { sortText, requests, totalTokens, costNanoUsd, lastUsedAtMs, moreLimits, ...key } = row;
    const owner = owners.get(row.userId);
    return {
      ...key,
      ...moreLimits,
      ...(owner && { owner }),
      ...(fields.includes("totals") && { totals: toUsageTotals({ requests, totalTokens, costNanoUsd, lastUsedAtMs }) }),
    };
  };
}
