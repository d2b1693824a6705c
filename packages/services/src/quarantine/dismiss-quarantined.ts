import { SluiceError } from "@sluice/core/errors";
import { DismissQuarantinedInput } from "@sluice/core/inputs/quarantine";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { emit, withTransaction } from "../transaction.ts";

/**
 * Excludes a record from the books, with the reason of the administrator who decided so. It stays stored and can still be released. Of
 * two dismissals the first counts; a released record stays released.
 * @throws SluiceError `not_found`.
 */
export async function dismissQuarantined(ctx: Ctx, input: z.input<typeof DismissQuarantinedInput>): Promise<{ id: string }> {
  requireAccess(ctx.actor, "admin");
  const { id, reason } = parse(DismissQuarantinedInput, input);
  await withTransaction(ctx, async (ctx) => {
    const { ledgerQuarantine } = ctx.transaction.tx;
    const data = { dismissedAt: new Date(ctx.clock.now()), dismissReason: reason };
    const { count } = await ledgerQuarantine.updateMany({ where: { id, releasedAt: null, dismissedAt: null }, data });
    if (count === 0) {
      if ((await ledgerQuarantine.count({ where: { id } })) === 0) throw new SluiceError("not_found");
      return;
    }
    await audit(ctx, { action: "quarantine.dismiss", targetKind: "quarantine", targetId: id, after: { reason } });
    emit(ctx, { type: "quarantine.changed", id });
  });
  return { id };
}
