import { newId } from "@sluice/core/ids";
import { CreateProviderInput } from "@sluice/core/inputs/provider";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";
import { requireFreeName } from "./change-provider.ts";
import { checkModelPatterns } from "./check-model-patterns.ts";
import { openProvider, sealCredentials, sealProxy } from "./provider-secrets.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

/**
 * Adds a provider. Its secret is encrypted with the row's id as additional data and never returned.
 * @throws SluiceError `conflict` (name taken), `invalid_request` (a base URL that must not be called).
 */
export async function createProvider(ctx: Ctx, input: z.input<typeof CreateProviderInput>): Promise<ProviderView> {
  requireAccess(ctx.actor, "admin");
  const wanted = parse(CreateProviderInput, input);
  ctx.egress.checkUrl(wanted.baseUrl);
  return withTransaction(ctx, (ctx) => insertProvider(ctx, wanted, "provider.create"));
}

/** Inserts the row with its audit entry and announces it. @throws SluiceError `conflict` (name taken). */
export async function insertProvider(ctx: TxCtx, wanted: CreateProviderInput, action: string): Promise<ProviderView> {
  const { secret, credentials, proxy, ...fields } = wanted;
  checkModelPatterns(fields);
  await requireFreeName(ctx, fields.name);
  const id = newId();
  const row = await ctx.transaction.tx.provider.create({
    data: {
      ...{ ...fields, id, tenantId: ctx.tenantId, secret: ctx.secrets.encrypt(secret, id) },
      credentials: sealCredentials(ctx, id, credentials, { stored: [], isMoved: true }).map((one) => ({ ...one })),
      proxy: sealProxy(ctx, id, proxy),
    },
  });
  const config = toProviderConfig(row);
  const provider = toProviderView(config, openProvider(ctx, config));
  await audit(ctx, { action, targetKind: "provider", targetId: id, after: provider });
  bumpConfigVersion(ctx);
  emit(ctx, { type: "provider.changed", id });
  return provider;
}
