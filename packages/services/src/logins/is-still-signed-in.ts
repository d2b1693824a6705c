import type { Ctx } from "../context.ts";

/** Asks Postgres whether the actor's login and rights are still what they were. True while it cannot be asked. */
export async function isStillSignedIn(ctx: Ctx): Promise<boolean> {
  const { actor } = ctx;
  if (actor.kind !== "user") return actor.kind === "system";
  try {
    const login = await ctx.prisma.login.findUnique({ where: { id: actor.loginId }, include: { user: true } });
    return (
      login !== null && login.user.role === actor.role && login.user.disabledAt === null && login.expiresAt.getTime() > ctx.clock.now()
    );
  } catch {
    return true;
  }
}
