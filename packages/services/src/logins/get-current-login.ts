import type { Ctx } from "../context.ts";
import { setupRequired } from "../setup/setup-required.ts";
import type { CurrentLogin } from "./current-login.ts";

/** Who is signed in here, if anybody, and whether the first administrator is still to be made. */
export async function getCurrentLogin(ctx: Ctx): Promise<CurrentLogin> {
  const { actor } = ctx;
  return {
    user: actor.kind === "user" ? { id: actor.userId, email: actor.email, name: actor.name, role: actor.role } : null,
    setupRequired: setupRequired(ctx),
    version: ctx.version,
    baseUrl: ctx.publicUrl,
    serverNowMs: ctx.clock.now(),
  };
}
