import type { CacheScope } from "@sluice/cache/cache";
import { SluiceError } from "@sluice/core/errors";
import type { Actor, Ctx } from "./context.ts";

/**
 * Who may call a procedure or route. Every one declares its level, and the sweep test calls them all. Each level admits the ones after
 * it; `key` is the holder of a client key, `user` somebody who is signed in.
 */
export type Access = "public" | "key" | "user" | "admin";

/**
 * Refuses an actor below the required level.
 * @throws SluiceError `unauthenticated` (nobody is signed in) or `forbidden`.
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

/**
 * The user to whose own data the actor is limited; null for admins and the system.
 * @throws SluiceError `unauthenticated`, `forbidden` (for a key).
 */
export function ownScope(ctx: Ctx): string | null {
  const { userId, keyId } = rowScope(ctx);
  // Scoping a key by its user alone would show it what the owner's other keys did.
  if (keyId !== null) throw new SluiceError("forbidden");
  return userId;
}

/** Whose requests the actor may see. null = no restriction. Verbs that admit keys must filter by both fields. */
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

function roleOf({ userId, keyId }: RowScope): CacheScope["role"] {
  if (keyId !== null) return "key";
  return userId !== null ? "user" : "admin";
}

/** The scope that the actor's cached answers are stored under. @throws SluiceError `unauthenticated`. */
export function cacheScope(ctx: Ctx): CacheScope {
  const scope = rowScope(ctx);
  return { tenantId: ctx.tenantId, role: roleOf(scope), ...scope };
}
