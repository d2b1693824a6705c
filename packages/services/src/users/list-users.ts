import type { Page } from "@sluice/core/inputs/page";
import { type NumberedPage, numberedPage } from "@sluice/core/inputs/sorted-page";
import { ListUsersInput, PageUsersInput } from "@sluice/core/inputs/user";
import type { Recent } from "@sluice/core/statistics";
import type { Account } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { toAccountView } from "../credits/to-credit-view.ts";
import { toLimitsView } from "../limits/limits-view.ts";
import { cursorPage } from "../lists/list-statement.ts";
import { readCountedList, readList } from "../lists/read-list.ts";
import { toUsageTotals } from "../lists/usage-totals.ts";
import { parse } from "../parse.ts";
import type { UserCredit, UserItem } from "./user-view.ts";
import { countUsersStatement, keyCountsSql, type UserRow, usersStatement } from "./users-statement.ts";

/**
 * Users in the requested order, from a cursor on, for administrators. `busId` is the bus position at which the totals were read; `recent`
 * (only with totals) names the recent ends they include.
 */
export async function listUsers(
  ctx: Ctx,
  input: z.input<typeof ListUsersInput> = {},
): Promise<Page<UserItem> & { busId: string; recent?: Recent }> {
  requireAccess(ctx.actor, "admin");
  const { cursor, limit, fields, ...filter } = parse(ListUsersInput, input);
  const busId = await ctx.live.bus.position();
  const statement = usersStatement({ ...filter, tenantId: ctx.tenantId }, { cursor, limit: limit + 1 });
  const { rows, ...counted } = await readList<UserRow>(ctx, statement, fields.includes("totals"));
  return { ...cursorPage(rows, limit, await itemsOf(ctx, rows.slice(0, limit), fields)), busId, ...counted };
}

/** The same by page number, with totals. */
export async function pageUsers(ctx: Ctx, input: z.input<typeof PageUsersInput> = {}): Promise<NumberedPage<UserItem>> {
  requireAccess(ctx.actor, "admin");
  const { page, pageSize, fields, ...filter } = parse(PageUsersInput, input);
  const ask = { ...filter, tenantId: ctx.tenantId };
  const statement = usersStatement(ask, { limit: pageSize, offset: (page - 1) * pageSize });
  const { rows, total } = await readCountedList<UserRow>(ctx, statement, countUsersStatement(ask));
  const toItem = await itemsOf(ctx, rows, fields);
  return numberedPage(rows.map(toItem), total, { page, pageSize });
}

/** Creates the mapping from rows to items; keys are counted and accounts read once for all rows. */
async function itemsOf(ctx: Ctx, rows: readonly UserRow[], fields: ListUsersInput["fields"]): Promise<(row: UserRow) => UserItem> {
  const counts = new Map<string, number>();
  if (fields.includes("keys") && rows.length > 0) {
    const found = await ctx.pool.query<{ id: string; keys: number }>(keyCountsSql, [rows.map(({ id }) => id)]);
    for (const { id, keys } of found.rows) counts.set(id, keys);
  }
  const credits = fields.includes("credit") ? await creditsOf(ctx, rows) : null;
  return (row) => {
    const { sortText, email, requests, totalTokens, costNanoUsd, lastUsedAtMs, rpm, inFlight, moreLimits, ...user } = row;
    return {
      ...user,
      ...toLimitsView({ rpm, inFlight }),
      ...moreLimits,
      ...(fields.includes("email") && { email }),
      ...(fields.includes("totals") && { totals: toUsageTotals({ requests, totalTokens, costNanoUsd, lastUsedAtMs }) }),
      ...(fields.includes("keys") && { keys: counts.get(row.id) ?? 0 }),
      ...(credits && { credit: credits.get(row.id) ?? toUserCredit(row.id, null) }),
    };
  };
}

async function creditsOf(ctx: Ctx, rows: readonly UserRow[]): Promise<Map<string, UserCredit>> {
  const accounts = await ctx.prisma.account.findMany({ where: { userId: { in: rows.map(({ id }) => id) } } });
  return new Map(accounts.map((account) => [account.userId, toUserCredit(account.userId, account)]));
}

function toUserCredit(userId: string, account: Account | null): UserCredit {
  const { billing, balanceNanoUsd, availableNanoUsd } = toAccountView(userId, account);
  return { billing, balanceNanoUsd, availableNanoUsd };
}
