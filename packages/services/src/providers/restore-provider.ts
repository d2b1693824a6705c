import { SluiceError } from "@sluice/core/errors";
import { limitNames } from "@sluice/core/inputs/limits";
import { UpdateProviderInput } from "@sluice/core/inputs/provider";
import { uuidField } from "@sluice/core/inputs/uuid";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { type TxCtx, withTransaction } from "../transaction.ts";
import { changeProvider, lockProvider, lockProviderNames } from "./change-provider.ts";
import type { ProviderView } from "./provider-view.ts";

export const RestoreProviderInput = z.strictObject({
  id: uuidField,
  /** An entry of its history, whose result is restored; for a deletion, the state before it. */
  versionId: uuidField,
  /** Required when that version is at another origin, or when the secret was destroyed since. */
  secret: z.string().min(1).max(4096).optional(),
});

/** The fields of a version that can be restored: no secrets, and no fields that this version of the program does not know. */
const Restorable = z.object(UpdateProviderInput.omit({ id: true, secret: true, expected: true, credentials: true, proxy: true }).shape);

/**
 * Restores an earlier version of a provider, even of a deleted one. Its secrets, its proxy and its override stay as they are; requests in
 * flight continue.
 * @throws SluiceError `not_found`, `conflict` (name taken), `invalid_request` (secret needed).
 */
export async function restoreProvider(ctx: Ctx, input: z.input<typeof RestoreProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id, versionId, secret } = parse(RestoreProviderInput, input);
  return withTransaction(ctx, async (ctx) => {
    await lockProviderNames(ctx);
    const before = await lockProvider(ctx, id, { deleted: true });
    const change = await versionOf(ctx, id, versionId);
    return changeProvider(ctx, before, { action: "provider.restore", change: { ...change, deletedAt: null }, secret });
  });
}

async function versionOf(ctx: TxCtx, id: string, versionId: string): Promise<z.infer<typeof Restorable>> {
  const entry = await ctx.transaction.tx.auditEntry.findFirst({
    where: { id: versionId, tenantId: ctx.tenantId, targetKind: "provider", targetId: id },
  });
  const version = Restorable.safeParse(entry?.after ?? entry?.before);
  // A complete version has a name; entries of other actions only record a detail.
  if (!version.success || version.data.name === undefined) throw new SluiceError("not_found");
  // A version contains only the limits that were set; the others become null.
  return { ...Object.fromEntries(limitNames.map((name) => [name, null])), ...version.data };
}
