import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { lockProvider } from "./change-provider.ts";
import { openProvider } from "./provider-secrets.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

export const DeleteProviderInput = z.strictObject({ id: uuidField });

/**
 * Deletes a provider. The row stays hidden, since the ledger refers to it; the worker destroys its secret a day later. Until then
 * `providers.restore` with the returned version brings it back unchanged.
 */
export async function deleteProvider(ctx: Ctx, input: z.input<typeof DeleteProviderInput>): Promise<{ id: string; versionId: string }> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(DeleteProviderInput, input);
  return withTransaction(ctx, async (ctx) => {
    const before = await lockProvider(ctx, id);
    const provider = toProviderConfig(before);
    await ctx.transaction.tx.provider.update({ where: { id }, data: { deletedAt: new Date(ctx.clock.now()), enabled: false } });
    const versionId = await audit(ctx, {
      action: "provider.delete",
      targetKind: "provider",
      targetId: id,
      before: toProviderView(provider, { ...openProvider(ctx, provider), secret: "" }),
    });
    bumpConfigVersion(ctx);
    emit(ctx, { type: "provider.changed", id });
    return { id, versionId };
  });
}
