import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { GetSessionInput, getSession } from "./get-session.ts";

export const TerminateSessionInput = GetSessionInput;

/**
 * Ends a conversation: its requests in flight are aborted on every instance, and its next request is routed from scratch, as a new
 * session. Users end only their own.
 * @throws SluiceError `not_found`: unknown, another user's, or over.
 */
export async function terminateSession(ctx: Ctx, input: z.input<typeof TerminateSessionInput>): Promise<void> {
  requireAccess(ctx.actor, "user");
  const { id } = parse(TerminateSessionInput, input);
  const { row } = await getSession(ctx, { id });
  const { userId, keyId, client } = row;
  await withTransaction(ctx, (ctx) =>
    audit(ctx, { action: "session.terminate", targetKind: "session", targetId: id, before: { userId, keyId, client } }),
  );
  // Marked before its requests are aborted, so that the end of the last one removes it.
  await ctx.live.sessions.terminate(id);
  await ctx.live.commands.send({ kind: "session.terminate", sessionId: id });
  ctx.sticky.unbind(id);
}
