import { SluiceError } from "@sluice/core/errors";
import type { Actor, Ctx } from "./context.ts";

/** Who may call a procedure or route. Every one declares it; the sweep test walks them. */
export type Access = "public" | "user" | "admin";

/**
 * Refuses an actor below the level asked for.
 * @throws SluiceError `unauthenticated` (nobody signed in) or `forbidden`.
 */
export function requireAccess(actor: Actor, access: Access): void {
  if (access === "public" || actor.kind === "system") return;
  if (actor.kind === "anonymous") throw new SluiceError("unauthenticated");
  if (access === "admin" && actor.role !== "admin") throw new SluiceError("forbidden");
}

/** Whether the actor sees everything. */
export function isAdmin(ctx: Ctx): boolean {
  return ctx.actor.kind === "system" || (ctx.actor.kind === "user" && ctx.actor.role === "admin");
}

/** The user whose things alone the actor may see; null for admins and the system. @throws SluiceError `unauthenticated`. */
export function ownScope(ctx: Ctx): string | null {
  if (ctx.actor.kind === "anonymous") throw new SluiceError("unauthenticated");
  if (ctx.actor.kind === "system" || ctx.actor.role === "admin") return null;
  return ctx.actor.userId;
}
