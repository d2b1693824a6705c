import { SluiceError } from "@sluice/core/errors";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

export const DeleteProviderInput = z.strictObject({ id: z.uuid() });

/** Takes an upstream away. The row stays hidden, since the ledger names it; its secret is destroyed. */
export async function deleteProvider(ctx: Ctx, input: z.input<typeof DeleteProviderInput>): Promise<{ id: string }> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(DeleteProviderInput, input);
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const before = await tx.provider.findFirst({ where: { id, tenantId: ctx.tenantId, deletedAt: null } });
    if (!before) throw new SluiceError("not_found");
    await tx.provider.update({ where: { id }, data: { deletedAt: new Date(ctx.clock.now()), enabled: false, secret: "" } });
    await audit(ctx, {
      action: "provider.delete",
      targetKind: "provider",
      targetId: id,
      before: toProviderView(toProviderConfig(before), ""),
    });
    await bumpConfigVersion(ctx);
    emit(ctx, { type: "provider.changed", id });
    return { id };
  });
}
