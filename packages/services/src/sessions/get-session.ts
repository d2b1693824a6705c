import { SluiceError } from "@sluice/core/errors";
import type { SessionRow } from "@sluice/core/events";
import { shapeSession } from "@sluice/live/shaping";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { audienceOf } from "../logs/shape-log.ts";
import { parse } from "../parse.ts";

/** The format of ids made by `Sessions.idOf`. */
export const GetSessionInput = z.strictObject({ id: z.string().regex(/^[\w-]{1,64}$/) });

export interface SessionDetail {
  row: SessionRow;
  /** The provider its next request tries first, if it can take it; null when it will be routed from scratch. Admins only. */
  sticky: { providerId: string; sinceMs: number } | null;
  /** Lifetime of the binding after its last use, in seconds; 0 = sessions are not bound. */
  stickySeconds: number;
  busId: string;
}

/**
 * One active conversation, and why it is bound where it is. Its requests are those in the log with this `sessionId`.
 * @throws SluiceError `not_found`: unknown, another user's, or over.
 */
export async function getSession(ctx: Ctx, input: z.input<typeof GetSessionInput>): Promise<SessionDetail> {
  requireAccess(ctx.actor, "key");
  const { id } = parse(GetSessionInput, input);
  const audience = audienceOf(ctx);
  // The position comes first: changes during the read arrive over the bus again.
  const busId = await ctx.live.bus.position();
  const found = await ctx.live.sessions.find(id);
  const row = found && shapeSession(audience, found);
  if (!row) throw new SluiceError("not_found");
  const providerId = audience.kind === "admin" ? await ctx.sticky.peek(id) : null;
  // A binding to a provider that has not served the session yet dates from its last request.
  const sinceMs = providerId === row.providerId ? row.providerSinceMs : row.lastActivityAtMs;
  const stickySeconds = ctx.snapshot.current().settings["routing.stickySeconds"];
  return { row, sticky: providerId === null ? null : { providerId, sinceMs }, stickySeconds, busId };
}
