import { newId } from "@sluice/core/ids";
import { CreateUserInput } from "@sluice/core/inputs/user";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { hashPassword } from "../logins/password.ts";
import { parse } from "../parse.ts";
import { checkPolicies } from "../policies/check-policies.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { toUserView } from "./to-user-view.ts";
import type { UserView } from "./user-view.ts";

/** Creates a user; without a password they cannot sign in yet. @throws SluiceError `conflict` (e-mail taken). */
export async function createUser(ctx: Ctx, input: z.input<typeof CreateUserInput>): Promise<UserView> {
  requireAccess(ctx.actor, "admin");
  const { password, expiresAtMs, ...wanted } = parse(CreateUserInput, input);
  checkPolicies(wanted.policies);
  const passwordHash = password === undefined ? null : await hashPassword(password);
  return withTransaction(ctx, async (ctx) => {
    const row = await ctx.transaction.tx.user.create({
      data: {
        id: newId(),
        tenantId: ctx.tenantId,
        ...wanted,
        expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
        passwordHash,
      },
    });
    const user = toUserView(row);
    await audit(ctx, { action: "user.create", targetKind: "user", targetId: user.id, after: user });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "user.changed", id: user.id, userId: user.id });
    return user;
  });
}
