import { shapeSession } from "@sluice/live/shaping";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { audienceOf } from "../logs/shape-log.ts";
import type { SessionList } from "./session-list.ts";

/** Active conversations, from memory and Redis only. Users see their own, keys only those of that key, both without the provider. */
export async function listSessions(ctx: Ctx): Promise<SessionList> {
  requireAccess(ctx.actor, "key");
  const audience = audienceOf(ctx);
  // The position comes first: changes during the read arrive over the bus again.
  const busId = await ctx.live.bus.position();
  const all = await ctx.live.sessions.list();
  const rows = all.flatMap((row) => shapeSession(audience, row) ?? []);
  return {
    rows: rows.toSorted((a, b) => b.lastActivityAtMs - a.lastActivityAtMs),
    activeWindowSeconds: ctx.snapshot.current().settings["sessions.activeWindowSeconds"],
    busId,
    serverNowMs: ctx.clock.now(),
  };
}
