import { SluiceError } from "@sluice/core/errors";
import { QuarantinedInput } from "@sluice/core/inputs/quarantine";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { payloadText } from "./payload-text.ts";
import { type QuarantinedDetail, type QuarantinedView, quarantineColumns } from "./quarantine-view.ts";

/** Bytes read at most: a record of the spool is far smaller, but damaged bytes may be a whole segment. */
const MOST_BYTES = 1024 * 1024;

/** One record with its content as text. @throws SluiceError `not_found`. */
export async function getQuarantined(ctx: Ctx, input: z.input<typeof QuarantinedInput>): Promise<QuarantinedDetail> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(QuarantinedInput, input);
  const { rows } = await ctx.pool.query<QuarantinedView & { payload: Buffer }>(
    `SELECT ${quarantineColumns}, substring(q.payload FROM 1 FOR ${MOST_BYTES}) AS payload FROM ledger_quarantine q WHERE q.id = $1`,
    [id],
  );
  if (!rows[0]) throw new SluiceError("not_found");
  const { payload, ...view } = rows[0];
  return { ...view, ...payloadText(payload, payload.length === view.sizeBytes) };
}
