import { SluiceError } from "@sluice/core/errors";
import type { SessionRow } from "@sluice/core/events";
import { shapeSession } from "@sluice/live/shaping";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { audienceOf } from "../logs/shape-log.ts";
import { parse } from "../parse.ts";

/** As `Sessions.idOf` makes them. */
export const GetSessionInput = z.strictObject({ id: z.string().regex(/^[\w-]{1,64}$/) });

export interface SessionDetail {
  row: SessionRow;
  /** Where its next request will go first, if that provider can take it; null when it is routed anew. Admins only. */
  sticky: { providerId: string; sinceMs: number } | null;
  /** How long after its last use the binding lasts, seconds; 0 = sessions are not bound. */
  stickySeconds: number;
  busId: string;
}

/**
 * One active conversation, and why it is where it is. Its requests are those of the log with this `sessionId`.
 * @throws SluiceError `not_found`: none, another user's, or over.
 */
export async function getSession(ctx: Ctx, input: z.input<typeof GetSessionInput>): Promise<SessionDetail> {
  requireAccess(ctx.actor, "key");
  const { id } = parse(GetSessionInput, input);
  const audience = audienceOf(ctx);
  // The position first: what changes meanwhile arrives again over the bus.
  const busId = await ctx.live.bus.position();
  const found = await ctx.live.sessions.find(id);
  const row = found && shapeSession(audience, found);
  if (!row) throw new SluiceError("not_found");
  const providerId = audience.kind === "admin" ? await ctx.sticky.peek(id) : null;
  // A binding to where it has not been yet is as old as its last request.
  const sinceMs = providerId === row.providerId ? row.providerSinceMs : row.lastActivityAtMs;
  const stickySeconds = ctx.snapshot.current().settings["routing.stickySeconds"];
  return { row, sticky: providerId === null ? null : { providerId, sinceMs }, stickySeconds, busId };
}
