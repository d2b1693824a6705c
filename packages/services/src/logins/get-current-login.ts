import type { Ctx } from "../context.ts";
import type { CurrentLogin } from "./current-login.ts";

/** Who is signed in here, if anybody. */
export async function getCurrentLogin(ctx: Ctx): Promise<CurrentLogin> {
  const { actor } = ctx;
  return {
    user: actor.kind === "user" ? { id: actor.userId, email: actor.email, name: actor.name, role: actor.role } : null,
    setupRequired: false,
    version: ctx.version,
    baseUrl: ctx.publicUrl,
    serverNowMs: ctx.clock.now(),
  };
}
