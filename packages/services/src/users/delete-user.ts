import { SluiceError } from "@sluice/core/errors";
import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { requireAnotherAdmin } from "./require-another-admin.ts";
import { toUserView } from "./to-user-view.ts";

export const DeleteUserInput = z.strictObject({ id: uuidField });

/**
 * Deletes a user whom nothing refers to; one who owns a key, appears in a log or has changed anything can only be disabled.
 * @throws SluiceError `not_found`, `forbidden` (oneself), `conflict` (something refers to them, or the last administrator).
 */
export async function deleteUser(ctx: Ctx, input: z.input<typeof DeleteUserInput>): Promise<void> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(DeleteUserInput, input);
  if (ctx.actor.kind === "user" && ctx.actor.userId === id) throw new SluiceError("forbidden", { message: "You cannot delete yourself." });
  await withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    // Waits for transactions that create a key for this user or change the account: they lock one of these rows until their commit.
    await tx.$executeRaw`SELECT FROM users WHERE id = ${id}::uuid FOR UPDATE`;
    await tx.$executeRaw`SELECT FROM accounts WHERE user_id = ${id}::uuid FOR UPDATE`;
    const before = await tx.user.findFirst({ where: { id, tenantId: ctx.tenantId } });
    if (!before) throw new SluiceError("not_found");
    if (before.role === "admin" && before.disabledAt === null) await requireAnotherAdmin(ctx, id);
    const [named] = await tx.$queryRaw<{ named: boolean }[]>`SELECT EXISTS (SELECT FROM keys WHERE user_id = ${id}::uuid)
      OR EXISTS (SELECT FROM requests WHERE user_id = ${id}) OR EXISTS (SELECT FROM audit_entries WHERE actor_id = ${id})
      OR EXISTS (SELECT FROM account_entries WHERE user_id = ${id}::uuid) AS named`;
    if (named?.named) throw new SluiceError("conflict", { message: "This user has keys or a history. Disable them instead." });
    await tx.userTotals.deleteMany({ where: { userId: id } });
    await tx.account.deleteMany({ where: { userId: id } });
    await tx.user.delete({ where: { id } });
    ctx.transaction.reauthorise.add(id);
    await audit(ctx, { action: "user.delete", targetKind: "user", targetId: id, before: toUserView(before) });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "user.changed", id, userId: id });
  });
}
