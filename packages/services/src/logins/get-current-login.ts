import type { Actor, Ctx } from "../context.ts";
import { setupRequired } from "../setup/setup-required.ts";
import type { CurrentLogin } from "./current-login.ts";

/** Who is signed in here, if anybody, and whether the first administrator is still to be made. */
export async function getCurrentLogin(ctx: Ctx): Promise<CurrentLogin> {
  const user = shown(ctx.actor);
  return {
    // In this order: what changes while the page reads arrives again over the bus.
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
