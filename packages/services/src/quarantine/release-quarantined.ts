import { SluiceError } from "@sluice/core/errors";
import { QuarantinedInput } from "@sluice/core/inputs/quarantine";
import { settleQuarantined } from "@sluice/ledger/quarantine";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { emit, withTransaction } from "../transaction.ts";

/** `refused`: why the record still cannot be stored. */
export type Release = { outcome: "released" } | { outcome: "refused"; reason: string };

/**
 * Passes a record to the settler again. If its row is stored, the record is marked released; if it is refused again, the reason is
 * updated. The row is written before the mark and at most once, so a repeated call, even on another instance, changes nothing more.
 * Dismissed records can be released too.
 * @throws SluiceError `not_found`, `unavailable`.
 */
export async function releaseQuarantined(ctx: Ctx, input: z.input<typeof QuarantinedInput>): Promise<Release> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(QuarantinedInput, input);
  const { rows } = await ctx.pool.query<{ payload: Buffer; releasedAt: Date | null }>(
    `SELECT payload, released_at AS "releasedAt" FROM ledger_quarantine WHERE id = $1`,
    [id],
  );
  if (!rows[0]) throw new SluiceError("not_found");
  if (rows[0].releasedAt) return { outcome: "released" };
  const reason = await settleQuarantined(ctx.pool, rows[0].payload, ctx.clock.now());
  await withTransaction(ctx, async (ctx) => {
    const { ledgerQuarantine } = ctx.transaction.tx;
    const data = reason === "" ? { releasedAt: new Date(ctx.clock.now()) } : { reason };
    const { count } = await ledgerQuarantine.updateMany({ where: { id, releasedAt: null }, data });
    // A concurrent call came first.
    if (count === 0) return;
    const after = reason === "" ? { outcome: "released" } : { outcome: "refused", reason };
    await audit(ctx, { action: "quarantine.release", targetKind: "quarantine", targetId: id, after });
    emit(ctx, { type: "quarantine.changed", id });
  });
  return reason === "" ? { outcome: "released" } : { outcome: "refused", reason };
}
