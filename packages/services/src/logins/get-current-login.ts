import type { Actor, Ctx } from "../context.ts";
import { setupRequired } from "../setup/setup-required.ts";
import type { CurrentLogin } from "./current-login.ts";

/** The current login, if any, and whether the first administrator still has to be created. */
export async function getCurrentLogin(ctx: Ctx): Promise<CurrentLogin> {
  const user = shown(ctx.actor);
  return {
    // The position comes first: changes during the read arrive over the bus again.
    busId: user ? await ctx.live.bus.position() : "",
    user,
    setupRequired: setupRequired(ctx),
    version: ctx.version,
    baseUrl: ctx.publicUrl,
    serverNowMs: ctx.clock.now(),
  };
}

function shown(actor: Actor): CurrentLogin["user"] {
  if (actor.kind === "key") return { id: actor.keyId, email: "", name: actor.name, role: "key" };
  return actor.kind === "user" ? { id: actor.userId, email: actor.email, name: actor.name, role: actor.role } : null;
}
