import { SluiceError } from "@sluice/core/errors";
import type { UpdateProviderInput } from "@sluice/core/inputs/provider";
import type { Prisma, Provider } from "@sluice/db/generated/client";
import type { ProviderConfig } from "@sluice/snapshot/config";
import { audit } from "../audit.ts";
import { limitChange } from "../limits/limits-view.ts";
import { bumpConfigVersion, emit, type TxCtx } from "../transaction.ts";
import { checkModelPatterns } from "./check-model-patterns.ts";
import { openProvider, sealCredentials, sealProxy } from "./provider-secrets.ts";
import type { ProviderView } from "./provider-view.ts";
import { toProviderConfig } from "./stored-provider.ts";
import { toProviderView } from "./to-provider-view.ts";

export interface ProviderEdit {
  /** Action for the audit: `provider.update`, … */
  action: string;
  change: Omit<UpdateProviderInput, "id" | "secret" | "expected"> &
    Pick<Prisma.ProviderUpdateInput, "override" | "overrideUntil" | "overrideNote" | "deletedAt">;
  /** Absent = the stored secret stays. */
  secret?: string | undefined;
}

/**
 * Taken before the row by whoever may need a name, or several rows: in this order, and one at a time, they cannot deadlock. It is released
 * when the transaction ends.
 */
export async function lockProviderNames(ctx: TxCtx): Promise<void> {
  await ctx.transaction.tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('sluice.provider-names'))`;
}

/**
 * The stored row, locked until the transaction ends: changes run one after another, so that a stored secret stays with the address it was
 * given for. @throws SluiceError `not_found`, also for a deleted one unless `deleted` is set.
 */
export async function lockProvider(ctx: TxCtx, id: string, { deleted = false } = {}): Promise<Provider> {
  const { tx } = ctx.transaction;
  await tx.$executeRaw`SELECT FROM providers WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
  const row = await tx.provider.findFirst({ where: { id, tenantId: ctx.tenantId, ...(!deleted && { deletedAt: null }) } });
  if (!row) throw new SluiceError("not_found");
  return row;
}

/**
 * The part that all changes of a stored provider share: its name stays unique, its secret goes to no other origin, the change is audited,
 * and every instance is notified.
 * @throws SluiceError `conflict` (name taken), `invalid_request` (URL not allowed, secret missing).
 */
export async function changeProvider(ctx: TxCtx, before: Provider, { action, change, secret }: ProviderEdit): Promise<ProviderView> {
  const { id } = before;
  if (change.baseUrl !== undefined) ctx.egress.checkUrl(change.baseUrl);
  checkModelPatterns(change);
  const name = change.name ?? before.name;
  if (name !== before.name || before.deletedAt) await requireFreeName(ctx, name, id);
  const stored = toProviderConfig(before);
  const isMoved = requireSecret(ctx, stored, change, secret);
  const {
    credentials = isMoved ? stored.credentials?.map(({ label, weight }) => ({ label, weight })) : undefined,
    proxy,
    ...plain
  } = change;
  const row = await ctx.transaction.tx.provider.update({
    where: { id },
    data: {
      ...limitChange(plain, new Date(ctx.clock.now())),
      ...(secret !== undefined && { secret: ctx.secrets.encrypt(secret, id) }),
      ...(credentials && {
        credentials: sealCredentials(ctx, id, credentials, { stored: stored.credentials ?? [], isMoved }).map((one) => ({ ...one })),
      }),
      ...(proxy !== undefined && { proxy: sealProxy(ctx, id, proxy) }),
    },
  });
  const config = toProviderConfig(row);
  const provider = toProviderView(config, openProvider(ctx, config));
  await audit(ctx, {
    action,
    targetKind: "provider",
    targetId: id,
    before: toProviderView(stored, { ...openProvider(ctx, stored), ...(secret !== undefined && { secret: "" }) }),
    after: { ...provider, ...(secret !== undefined && { secretChanged: true }) },
  });
  bumpConfigVersion(ctx);
  emit(ctx, { type: "provider.changed", id });
  return provider;
}

/**
 * A move to another origin requires the secrets again: otherwise anyone who may edit a URL could have them sent to a host of their own. A
 * proxy can read the traffic of an unencrypted provider, so adding one to such a provider counts as a move.
 * @returns whether it moves.
 */
function requireSecret(ctx: TxCtx, before: ProviderConfig, change: ProviderEdit["change"], secret: string | undefined): boolean {
  const baseUrl = change.baseUrl ?? before.baseUrl;
  const isProxied = change.proxy !== undefined && change.proxy !== (openProvider(ctx, before).proxy || null);
  const isMoved = originOf(baseUrl) !== originOf(before.baseUrl) || (isProxied && change.proxy !== null && baseUrl.startsWith("http:"));
  if (secret !== undefined) return isMoved;
  if (isMoved) {
    throw new SluiceError("invalid_request", {
      message: "The base URL has another origin, or an unencrypted one another proxy: enter the secret again.",
      field: "secret",
    });
  }
  if (before.secret === "") {
    throw new SluiceError("invalid_request", { message: "Its secret is no longer stored. Enter it again.", field: "secret" });
  }
  return false;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

/** Names of providers that are not deleted are unique, because the configuration file refers to them by name. */
export async function requireFreeName(ctx: TxCtx, name: string, exceptId?: string): Promise<void> {
  await lockProviderNames(ctx);
  const taken = await ctx.transaction.tx.provider.findFirst({
    where: { tenantId: ctx.tenantId, name, deletedAt: null, ...(exceptId && { id: { not: exceptId } }) },
    select: { id: true },
  });
  if (taken) throw new SluiceError("conflict", { message: "A provider with this name already exists.", field: "name" });
}
