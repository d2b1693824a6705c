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
 * Ends a request that is in flight, on whichever instance it runs: what passed is billed, its client is told. Users end
 * their own. `cancelled` is false when it was over already, or is lost; its end comes over the bus like any.
 * @throws SluiceError `not_found`, the same for none and for another user's.
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
