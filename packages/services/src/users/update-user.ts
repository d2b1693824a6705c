import { SluiceError } from "@sluice/core/errors";
import { UpdateUserInput } from "@sluice/core/inputs/user";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { limitChange } from "../limits/limits-view.ts";
import { hashPassword } from "../logins/password.ts";
import { parse } from "../parse.ts";
import { checkPolicies } from "../policies/check-policies.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { endOtherLogins } from "./end-other-logins.ts";
import { requireAnotherAdmin } from "./require-another-admin.ts";
import { toUserView } from "./to-user-view.ts";
import type { UserView } from "./user-view.ts";

/**
 * Changes a user. A new password, a demotion and disabling sign them out everywhere and end their streams; a disabled user's keys stop
 * working. Nobody can demote or disable themselves, and the last administrator remains one.
 * @throws SluiceError `not_found`, `forbidden` (oneself), `conflict` (the last administrator).
 */
export async function updateUser(ctx: Ctx, input: z.input<typeof UpdateUserInput>): Promise<UserView> {
  requireAccess(ctx.actor, "admin");
  const { id, password, enabled, expiresAtMs, ...change } = parse(UpdateUserInput, input);
  checkPolicies(change.policies);
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    await tx.$executeRaw`SELECT FROM users WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
    const before = await tx.user.findFirst({ where: { id, tenantId: ctx.tenantId } });
    if (!before) throw new SluiceError("not_found");
    const losesAdmin = before.role === "admin" && before.disabledAt === null && (change.role === "user" || enabled === false);
    if (losesAdmin) {
      if (ctx.actor.kind === "user" && ctx.actor.userId === id)
        throw new SluiceError("forbidden", { message: "You cannot remove your own administrator rights." });
      await requireAnotherAdmin(ctx, id);
    }
    const row = await tx.user.update({
      where: { id },
      data: {
        ...limitChange(change, new Date(ctx.clock.now())),
        ...(passwordHash !== undefined && { passwordHash }),
        ...(expiresAtMs !== undefined && { expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs) }),
        ...(enabled !== undefined && { disabledAt: enabled ? null : (before.disabledAt ?? new Date(ctx.clock.now())) }),
      },
    });
    const changesRights = row.role !== before.role || (row.disabledAt === null) !== (before.disabledAt === null);
    if (changesRights || passwordHash !== undefined) await endOtherLogins(ctx, id);
    const user = toUserView(row);
    const after = { ...user, ...(passwordHash !== undefined && { passwordChanged: true }) };
    await audit(ctx, { action: "user.update", targetKind: "user", targetId: id, before: toUserView(before), after });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "user.changed", id, userId: id });
    return user;
  });
}
