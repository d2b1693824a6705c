import { SluiceError } from "@sluice/core/errors";
import type { Account } from "@sluice/db/generated/client";
import { emit, type TxCtx } from "../transaction.ts";

/**
 * The user's account, locked until the transaction ends: writers run one after another, so what is read here stays true. Its change is
 * announced after the commit.
 * @throws SluiceError `not_found`.
 */
export async function lockAccount(ctx: TxCtx, userId: string): Promise<Account> {
  const { tx } = ctx.transaction;
  const find = { where: { userId, tenantId: ctx.tenantId } };
  await tx.$executeRaw`SELECT FROM accounts WHERE user_id = ${userId}::uuid FOR NO KEY UPDATE`;
  let account = await tx.account.findFirst(find);
  if (!account) {
    if (!(await tx.user.findFirst({ where: { id: userId, tenantId: ctx.tenantId }, select: { id: true } })))
      throw new SluiceError("not_found");
    await tx.$executeRaw`INSERT INTO accounts (user_id, tenant_id) VALUES (${userId}::uuid, ${ctx.tenantId}) ON CONFLICT DO NOTHING`;
    await tx.$executeRaw`SELECT FROM accounts WHERE user_id = ${userId}::uuid FOR NO KEY UPDATE`;
    account = await tx.account.findFirstOrThrow(find);
  }
  if (!ctx.transaction.events.some((event) => event.type === "credit.changed" && event.id === userId))
    emit(ctx, { type: "credit.changed", id: userId, userId });
  return account;
}
