import { emailField } from "@sluice/core/inputs/user";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { toUserView } from "./to-user-view.ts";
import type { UserView } from "./user-view.ts";

/** The user with an e-mail address, or null. */
export async function findUser(ctx: Ctx, email: string): Promise<UserView | null> {
  requireAccess(ctx.actor, "admin");
  const row = await ctx.prisma.user.findUnique({ where: { tenantId_email: { tenantId: ctx.tenantId, email: parse(emailField, email) } } });
  return row && toUserView(row);
}
