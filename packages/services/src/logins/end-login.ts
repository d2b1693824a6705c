import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { emit, withTransaction } from "../transaction.ts";

/** Signs out: deletes the login on the server and ends the streams opened with it. Without a login it does nothing. */
export async function endLogin(ctx: Ctx): Promise<void> {
  const { actor } = ctx;
  if ((actor.kind !== "user" && actor.kind !== "key") || actor.loginId === "") return;
  ctx.logins.forget(actor.loginId);
  await withTransaction(ctx, async (ctx) => {
    const { count } = await ctx.transaction.tx.login.deleteMany({ where: { id: actor.loginId } });
    if (count === 0) return;
    await audit(ctx, { action: "login.end", targetKind: "login", targetId: actor.loginId.slice(0, 16), before: { userId: actor.userId } });
    // Every process ends this user's streams; those that are still signed in reconnect on their own.
    ctx.transaction.reauthorise.add(actor.userId);
    emit(ctx, { type: "user.changed", id: actor.userId, userId: actor.userId });
  });
  ctx.logins.forget(actor.loginId);
}
