import { keyRefusal } from "@sluice/core/routing/refusals";
import type { Actor, Ctx } from "../context.ts";

type Of<Kind extends Actor["kind"]> = Extract<Actor, { kind: Kind }>;

/** Asks Postgres whether the actor's login and rights, or its key, are unchanged. True while Postgres cannot be reached. */
export async function isStillSignedIn(ctx: Ctx): Promise<boolean> {
  const { actor } = ctx;
  try {
    if (actor.kind === "key") return await isKeyInForce(ctx, actor);
    return actor.kind === "user" ? await isLoginInForce(ctx, actor) : actor.kind === "system";
  } catch {
    return true;
  }
}

async function isLoginInForce({ prisma, clock }: Ctx, { loginId, role }: Of<"user">): Promise<boolean> {
  const login = await prisma.login.findUnique({ where: { id: loginId }, include: { user: true } });
  return login !== null && login.user.role === role && login.user.disabledAt === null && login.expiresAt.getTime() > clock.now();
}

async function isKeyInForce({ prisma, clock }: Ctx, { keyId, loginId }: Of<"key">): Promise<boolean> {
  if (loginId !== "" && (await prisma.login.count({ where: { id: loginId } })) === 0) return false;
  const key = await prisma.key.findUnique({ where: { id: keyId }, include: { user: true } });
  if (key === null || key.revokedAt !== null) return false;
  const state = (row: { disabledAt: Date | null; expiresAt: Date | null }) => ({
    enabled: row.disabledAt === null,
    expiresAtMs: row.expiresAt?.getTime() ?? null,
  });
  return keyRefusal(state(key), state(key.user), clock.now()) === null;
}
