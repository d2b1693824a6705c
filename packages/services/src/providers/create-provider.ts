import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { CreateProviderInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

/**
 * Adds an upstream. Its secret is encrypted with the row's id as additional data and never leaves again.
 * @throws SluiceError `conflict` (name taken), `invalid_request` (a base URL that may never be called).
 */
export async function createProvider(ctx: Ctx, input: z.input<typeof CreateProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { secret, ...wanted } = parse(CreateProviderInput, input);
  ctx.egress.checkUrl(wanted.baseUrl);
  return withTransaction(ctx, async (ctx) => {
    await requireFreeName(ctx, wanted.name);
    const id = newId();
    const row = await ctx.transaction.tx.provider.create({
      data: { ...wanted, id, tenantId: ctx.tenantId, secret: ctx.secrets.encrypt(secret, id) },
    });
    const provider = toProviderView(toProviderConfig(row), secret);
    await audit(ctx, { action: "provider.create", targetKind: "provider", targetId: id, after: provider });
    await bumpConfigVersion(ctx);
    emit(ctx, { type: "provider.changed", id });
    return provider;
  });
}

/** Names of providers that are not deleted are unique: the configuration file finds them by name. */
export async function requireFreeName(ctx: TxCtx, name: string, exceptId?: string): Promise<void> {
  await ctx.transaction.tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('sluice.provider-names'))`;
  const taken = await ctx.transaction.tx.provider.findFirst({
    where: { tenantId: ctx.tenantId, name, deletedAt: null, ...(exceptId && { id: { not: exceptId } }) },
    select: { id: true },
  });
  if (taken) throw new SluiceError("conflict", { message: "A provider of this name exists already.", field: "name" });
}
