import { SluiceError } from "@sluice/core/errors";
import { ChangePasswordInput } from "@sluice/core/inputs/user";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { hashPassword, verifyPassword } from "../logins/password.ts";
import { parse } from "../parse.ts";
import { emit, withTransaction } from "../transaction.ts";
import { endOtherLogins } from "./end-other-logins.ts";

/**
 * Changes the actor's own password and signs out their other browsers. Guesses at the current one are throttled like sign-ins.
 * @throws SluiceError `bad_credentials` (field `current`), `login_throttled`, `forbidden` (no user), `overloaded`.
 */
export async function changePassword(ctx: Ctx, input: z.input<typeof ChangePasswordInput>): Promise<void> {
  requireAccess(ctx.actor, "user");
  const { current, password } = parse(ChangePasswordInput, input);
  if (ctx.actor.kind !== "user") throw new SluiceError("forbidden");
  const { userId, email } = ctx.actor;
  await ctx.throttle.attempt(ctx.ip, email);
  const user = await ctx.prisma.user.findFirst({ where: { id: userId, tenantId: ctx.tenantId } });
  const wrong = new SluiceError("bad_credentials", { message: "The current password is wrong.", field: "current" });
  if (!(await verifyPassword(user?.passwordHash ?? null, current))) throw wrong;
  await ctx.throttle.succeeded(ctx.ip, email);
  const passwordHash = await hashPassword(password);
  await withTransaction(ctx, async (ctx) => {
    // A password set meanwhile stays: it may have been set to lock this very caller out.
    const present = { id: userId, passwordHash: user?.passwordHash ?? null };
    const { count } = await ctx.transaction.tx.user.updateMany({ where: present, data: { passwordHash } });
    if (count === 0) throw wrong;
    await endOtherLogins(ctx, userId);
    await audit(ctx, { action: "user.update", targetKind: "user", targetId: userId, after: { passwordChanged: true } });
    emit(ctx, { type: "user.changed", id: userId, userId });
  });
}
