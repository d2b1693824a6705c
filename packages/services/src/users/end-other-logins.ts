import type { TxCtx } from "../transaction.ts";

/** Deletes every login of the user except the actor's own, and ends their streams after the commit. */
export async function endOtherLogins(ctx: TxCtx, userId: string): Promise<void> {
  const keep = ctx.actor.kind === "user" && ctx.actor.userId === userId ? ctx.actor.loginId : "";
  await ctx.transaction.tx.login.deleteMany({ where: { userId, id: { not: keep } } });
  ctx.transaction.reauthorise.add(userId);
}
