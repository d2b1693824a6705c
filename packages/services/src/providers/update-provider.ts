import { SluiceError } from "@sluice/core/errors";
import { UpdateProviderInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, withTransaction } from "../transaction.ts";
import { requireFreeName } from "./create-provider.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

/**
 * Changes an upstream. Moving it to another origin demands its secret again: otherwise whoever may edit a URL could
 * have the stored secret sent to a host of their own.
 * @throws SluiceError `not_found`, `conflict` (name taken), `invalid_request` (URL not allowed, secret missing).
 */
export async function updateProvider(ctx: Ctx, input: z.input<typeof UpdateProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const { id, secret, ...change } = parse(UpdateProviderInput, input);
  if (change.baseUrl !== undefined) ctx.egress.checkUrl(change.baseUrl);
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const before = await tx.provider.findFirst({ where: { id, tenantId: ctx.tenantId, deletedAt: null } });
    if (!before) throw new SluiceError("not_found");
    if (change.name !== undefined && change.name !== before.name) await requireFreeName(ctx, change.name, id);
    if (secret === undefined && change.baseUrl !== undefined && originOf(change.baseUrl) !== originOf(before.baseUrl)) {
      throw new SluiceError("invalid_request", { message: "The base URL has another origin: enter the secret again.", field: "secret" });
    }
    const row = await tx.provider.update({
      where: { id },
      data: { ...change, ...(secret !== undefined && { secret: ctx.secrets.encrypt(secret, id) }) },
    });
    const opened = ctx.secrets.decrypt(row.secret, id);
    const provider = toProviderView(toProviderConfig(row), opened);
    await audit(ctx, {
      action: "provider.update",
      targetKind: "provider",
      targetId: id,
      before: toProviderView(toProviderConfig(before), secret === undefined ? opened : ""),
      after: { ...provider, ...(secret !== undefined && { secretChanged: true }) },
    });
    await bumpConfigVersion(ctx);
    emit(ctx, { type: "provider.changed", id });
    return provider;
  });
}

function originOf(url: string): string {
  return new URL(url).origin;
}
