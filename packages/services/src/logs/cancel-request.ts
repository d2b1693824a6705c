import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { getLog } from "./get-log.ts";

export const CancelRequestInput = z.strictObject({ id: uuidField });

/**
 * Cancels a request in flight, on whichever instance it runs: what passed so far is billed, and its client receives an error. Users
 * cancel only their own. `cancelled` is false when the request is already over or lost; its end arrives over the bus as usual.
 * @throws SluiceError `not_found`, the same for an unknown and for another user's request.
 */
export async function cancelRequest(ctx: Ctx, input: z.input<typeof CancelRequestInput>): Promise<{ cancelled: boolean }> {
  requireAccess(ctx.actor, "user");
  const { id } = parse(CancelRequestInput, input);
  const { row } = await getLog(ctx, { id });
  if (row.state !== "in_flight") return { cancelled: false };
  const { userId, keyId, model } = row;
  await withTransaction(ctx, (ctx) =>
    audit(ctx, { action: "request.cancel", targetKind: "request", targetId: id, before: { userId, keyId, model } }),
  );
  await ctx.live.commands.send({ kind: "request.cancel", requestId: id });
  return { cancelled: true };
}
