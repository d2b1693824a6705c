import type { CacheScope } from "@sluice/cache/cache";
import { SluiceError } from "@sluice/core/errors";
import type { Actor, Ctx } from "./context.ts";

/**
 * Who may call a procedure or route. Every one declares it; the sweep test walks them. Each level lets in those after it: `key` who holds
 * a client's key, `user` who has signed in.
 */
export type Access = "public" | "key" | "user" | "admin";

/**
 * Refuses an actor below the level asked for.
 * @throws SluiceError `unauthenticated` (nobody signed in) or `forbidden`.
 */
export function requireAccess(actor: Actor, access: Access): void {
  if (access === "public" || actor.kind === "system") return;
  if (actor.kind === "anonymous") throw new SluiceError("unauthenticated");
  if (access === "key") return;
  if (actor.kind === "key" || (access === "admin" && actor.role !== "admin")) throw new SluiceError("forbidden");
}

/** Whether the actor sees everything. */
export function isAdmin(ctx: Ctx): boolean {
  return ctx.actor.kind === "system" || (ctx.actor.kind === "user" && ctx.actor.role === "admin");
}

/** The user whose things alone the actor may see; null for admins and the system. @throws SluiceError `unauthenticated`. */
export function ownScope(ctx: Ctx): string | null {
  const { userId, keyId } = rowScope(ctx);
  // Who asks by the user alone would show a key what the owner's other keys did.
  if (keyId !== null) throw new SluiceError("forbidden");
  return userId;
}

/** Whose requests alone the actor may see: null = anybody's, by any key. What lets keys in goes by both. */
export interface RowScope {
  userId: string | null;
  keyId: string | null;
}

/** @throws SluiceError `unauthenticated`. */
export function rowScope({ actor }: Ctx): RowScope {
  if (actor.kind === "anonymous") throw new SluiceError("unauthenticated");
  if (actor.kind === "key") return { userId: actor.userId, keyId: actor.keyId };
  return { userId: actor.kind === "system" || actor.role === "admin" ? null : actor.userId, keyId: null };
}

/** Whose answers the actor is given by the cache. @throws SluiceError `unauthenticated`. */
export function cacheScope(ctx: Ctx): CacheScope {
  const scope = rowScope(ctx);
  return { tenantId: ctx.tenantId, role: scope.keyId !== null ? "key" : scope.userId !== null ? "user" : "admin", ...scope };
}
