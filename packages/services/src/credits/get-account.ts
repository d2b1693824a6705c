import { SluiceError } from "@sluice/core/errors";
import { GetAccountInput } from "@sluice/core/inputs/credit";
import type { z } from "zod";
import { ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import type { AccountView } from "./credit-view.ts";
import { toAccountView } from "./to-credit-view.ts";

/** A user's account; without `userId` the actor's own. @throws SluiceError `not_found` (also for another user's). */
export async function getAccount(ctx: Ctx, input: z.input<typeof GetAccountInput> = {}): Promise<AccountView> {
  requireAccess(ctx.actor, "user");
  const own = ownScope(ctx);
  const userId = parse(GetAccountInput, input).userId ?? (ctx.actor.kind === "user" ? ctx.actor.userId : "");
  if (userId === "" || (own !== null && own !== userId)) throw new SluiceError("not_found");
  const row = await ctx.prisma.account.findFirst({ where: { userId, tenantId: ctx.tenantId } });
  if (!row && !(await ctx.prisma.user.findFirst({ where: { id: userId, tenantId: ctx.tenantId }, select: { id: true } })))
    throw new SluiceError("not_found");
  return toAccountView(userId, row);
}
