import { SluiceError } from "@sluice/core/errors";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { withTransaction } from "../transaction.ts";
import { type CreatedLogin, openLogin } from "./create-login.ts";
import { loginIdOf } from "./login-token.ts";

/**
 * Opens a login of the oldest enabled administrator, for a command that talks to the running server. Only the system actor may do so; it
 * could write to the table anyway. The caller ends it afterwards.
 * @throws SluiceError `forbidden`, `not_found` (no administrator yet).
 */
export async function openBorrowedLogin(ctx: Ctx): Promise<CreatedLogin> {
  requireAccess(ctx.actor, "admin");
  if (ctx.actor.kind !== "system") throw new SluiceError("forbidden");
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const admin = await tx.user.findFirst({ where: { tenantId: ctx.tenantId, role: "admin", disabledAt: null }, orderBy: { id: "asc" } });
    if (!admin) throw new SluiceError("not_found", { message: "There is no administrator yet. Finish the setup first." });
    return openLogin(ctx, admin, { userAgent: "sluice command line" });
  });
}

export async function endBorrowedLogin(ctx: Ctx, token: string): Promise<void> {
  await ctx.prisma.login.deleteMany({ where: { id: loginIdOf(token) } });
}
