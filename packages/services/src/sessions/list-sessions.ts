import { shapeSession } from "@sluice/live/shaping";
import { ownScope, requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { SessionList } from "./session-list.ts";

/** Active conversations, read from memory and Redis only. Users see their own, without the provider. */
export async function listSessions(ctx: Ctx): Promise<SessionList> {
  requireAccess(ctx.actor, "user");
  const userId = ownScope(ctx);
  // The position first: what changes while the list is read arrives again over the bus.
  const busId = await ctx.live.bus.position();
  const all = await ctx.live.sessions.list();
  const rows = userId === null ? all : all.flatMap((row) => shapeSession({ kind: "user", userId }, row) ?? []);
  return {
    rows: rows.toSorted((a, b) => b.lastActivityAtMs - a.lastActivityAtMs),
    activeWindowSeconds: ctx.snapshot.current().settings["sessions.activeWindowSeconds"],
    busId,
    serverNowMs: ctx.clock.now(),
  };
}
