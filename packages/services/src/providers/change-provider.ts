import { SluiceError } from "@sluice/core/errors";
import type { UpdateProviderInput } from "@sluice/core/inputs/provider";
import type { Prisma, Provider } from "@sluice/db/generated/client";
import { audit } from "../audit.ts";
import { limitChange } from "../limits/limits-view.ts";
import { bumpConfigVersion, emit, type TxCtx } from "../transaction.ts";
import { checkModelPatterns } from "./check-model-patterns.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

export interface ProviderEdit {
  /** For the audit: `provider.update`, … */
  action: string;
  change: Omit<UpdateProviderInput, "id" | "secret"> &
    Pick<Prisma.ProviderUpdateInput, "override" | "overrideUntil" | "overrideNote" | "deletedAt">;
  /** Absent = the stored one stays. */
  secret?: string | undefined;
}

/** The stored row. @throws SluiceError `not_found`, also when it is deleted, unless `deleted` says otherwise. */
export async function storedProvider(ctx: TxCtx, id: string, { deleted = false } = {}): Promise<Provider> {
  const row = await ctx.transaction.tx.provider.findFirst({
    where: { id, tenantId: ctx.tenantId, ...(!deleted && { deletedAt: null }) },
  });
  if (!row) throw new SluiceError("not_found");
  return row;
}

/**
 * What every change of a stored provider shares: its name stays unique, its secret goes to no other origin, the change is
 * in the audit, and every instance learns of it.
 * @throws SluiceError `conflict` (name taken), `invalid_request` (URL not allowed, secret missing).
 */
export async function changeProvider(ctx: TxCtx, before: Provider, { action, change, secret }: ProviderEdit): Promise<ProviderView> {
  const { id } = before;
  if (change.baseUrl !== undefined) ctx.egress.checkUrl(change.baseUrl);
  checkModelPatterns(change);
  const name = change.name ?? before.name;
  if (name !== before.name || before.deletedAt) await requireFreeName(ctx, name, id);
  requireSecret(before, change.baseUrl ?? before.baseUrl, secret);
  const row = await ctx.transaction.tx.provider.update({
    where: { id },
    data: { ...limitChange(change, new Date(ctx.clock.now())), ...(secret !== undefined && { secret: ctx.secrets.encrypt(secret, id) }) },
  });
  const opened = ctx.secrets.decrypt(row.secret, id);
  const provider = toProviderView(toProviderConfig(row), opened);
  await audit(ctx, {
    action,
    targetKind: "provider",
    targetId: id,
    before: toProviderView(toProviderConfig(before), secret === undefined ? opened : ""),
    after: { ...provider, ...(secret !== undefined && { secretChanged: true }) },
  });
  await bumpConfigVersion(ctx);
  emit(ctx, { type: "provider.changed", id });
  return provider;
}

/** Moving to another origin demands the secret again: else whoever may edit a URL could have it sent to a host of their own. */
function requireSecret(before: Provider, baseUrl: string, secret: string | undefined): void {
  if (secret !== undefined) return;
  if (originOf(baseUrl) !== originOf(before.baseUrl)) {
    throw new SluiceError("invalid_request", { message: "The base URL has another origin: enter the secret again.", field: "secret" });
  }
  if (before.secret === "") {
    throw new SluiceError("invalid_request", { message: "Its secret is gone: enter it again.", field: "secret" });
  }
}

function originOf(url: string): string {
  return new URL(url).origin;
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
