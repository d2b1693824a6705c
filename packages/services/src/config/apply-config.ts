import { isDeepStrictEqual } from "node:util";
import { SluiceError } from "@sluice/core/errors";
import { limitNames } from "@sluice/core/inputs/limits";
import { parseDecimal } from "@sluice/core/money";
import { type ModelRedirects, redirectList } from "@sluice/core/routing/model-redirects";
import type { Provider } from "@sluice/db/generated/client";
import { hashToken } from "@sluice/db/secrets";
import { requireAccess } from "../access.ts";
import type { Ctx } from "../context.ts";
import { updateAccount } from "../credits/update-account.ts";
import { setGroup } from "../groups/set-group.ts";
import { addKey } from "../keys/create-key.ts";
import { updateKey } from "../keys/update-key.ts";
import { setPrice } from "../prices/set-price.ts";
import { lockProvider, lockProviderNames } from "../providers/change-provider.ts";
import { createProvider } from "../providers/create-provider.ts";
import { type OpenedSecrets, openProvider } from "../providers/provider-secrets.ts";
import { toProviderConfig } from "../providers/stored-provider.ts";
import { updateProvider } from "../providers/update-provider.ts";
import { placeSettings, releaseSettings } from "../settings/update-settings.ts";
import { type TxCtx, withTransaction } from "../transaction.ts";
import { createUser } from "../users/create-user.ts";
import { updateUser } from "../users/update-user.ts";
import { applyAlertChannel, applyAlertRule } from "./apply-alerts.ts";
import type { ApplyJob, ConfigSummary, Environment } from "./apply-job.ts";
import type { ConfigFile, SecretField } from "./config-file.ts";
import { ConfigFileError } from "./config-file-error.ts";
import { type ReadConfig, readConfig, resolveSecret } from "./read-config.ts";

export interface ApplyOptions {
  /**
   * Whether somebody reads `summary.secrets`. If not, keys without a fixed `key` are not created, since their secret would be lost; a
   * note says so.
   */
  showsSecrets?: boolean;
}

/**
 * Brings the installation to the state the file describes, in one transaction. Entries are matched by name (users by e-mail); what the
 * file does not mention stays. Applying it again changes nothing and does not raise the version.
 * @throws ConfigFileError with line and field of every syntax or schema problem, or of the first refusal by a verb.
 */
export async function applyConfig(
  ctx: Ctx,
  text: string,
  environment: Environment = {},
  options: ApplyOptions = {},
): Promise<ConfigSummary> {
  requireAccess(ctx.actor, "admin");
  const read = readConfig(text);
  requireSecrets(read, environment);
  const summary: ConfigSummary = { created: [], updated: [], unchanged: 0, notes: [], secrets: [] };
  const job: ApplyJob = { environment, showsSecrets: options.showsSecrets ?? false, summary };
  await withTransaction(ctx, async (ctx) => {
    // Processes that watch the same file apply it one after another; the second one then finds nothing to change.
    await ctx.transaction.tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('sluice.config', 0))`;
    const { config } = read;
    if (config.providers.length > 0) await lockProviderNames(ctx);
    for (const [i, entry] of config.providers.entries()) {
      await placed(read, ["providers", i], () => applyProvider(ctx, entry, job));
    }
    for (const [i, entry] of config.groups.entries()) {
      await placed(read, ["groups", i], () => applyGroup(ctx, entry, job));
    }
    for (const [i, entry] of config.users.entries()) {
      const userId = await placed(read, ["users", i], () => applyUser(ctx, entry, job));
      for (const [k, key] of entry.keys.entries()) {
        await placed(read, ["users", i, "keys", k], () => applyKey(ctx, { ...key, userId, email: entry.email }, job));
      }
    }
    for (const [i, entry] of config.prices.entries()) {
      await placed(read, ["prices", i], () => applyPrice(ctx, entry, job));
    }
    for (const [i, entry] of config.alerts.channels.entries()) {
      await placed(read, ["alerts", "channels", i], () => applyAlertChannel(ctx, entry, job));
    }
    for (const [i, entry] of config.alerts.rules.entries()) {
      await placed(read, ["alerts", "rules", i], () => applyAlertRule(ctx, entry, job));
    }
    await placed(read, ["settings"], () => applySettings(ctx, config.settings, job));
  });
  return summary;
}

/** Every referenced variable must have a value before anything is changed. */
function requireSecrets({ config, problem }: ReadConfig, environment: Environment): void {
  const problems: string[] = [];
  const check = (field: ConfigFile["providers"][number]["secret"] | undefined, path: PropertyKey[]): void => {
    if (field === undefined || resolveSecret(field, environment)) return;
    problems.push(problem(path, `the environment has no value for ${typeof field === "string" ? "it" : field.env}`));
  };
  for (const [i, { secret, credentials = [], proxy }] of config.providers.entries()) {
    check(secret, ["providers", i, "secret"]);
    check(proxy ?? undefined, ["providers", i, "proxy"]);
    for (const [k, credential] of credentials.entries()) check(credential.secret, ["providers", i, "credentials", k, "secret"]);
  }
  for (const [i, user] of config.users.entries())
    for (const [k, { key }] of user.keys.entries()) check(key, ["users", i, "keys", k, "key"]);
  for (const [i, { secret, config: to }] of config.alerts.channels.entries()) {
    check(secret, ["alerts", "channels", i, "secret"]);
    if ("url" in to) check(to.url, ["alerts", "channels", i, "config", "url"]);
  }
  if (problems.length > 0) throw new ConfigFileError(problems);
}

/** Adds the place in the file to a verb's refusal. */
async function placed<T>({ problem }: ReadConfig, path: PropertyKey[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code === "internal") throw thrown;
    const field = thrown.field ? [...path, thrown.field] : path;
    throw new ConfigFileError([problem(field, thrown.message)]);
  }
}

async function applyProvider(ctx: TxCtx, entry: ConfigFile["providers"][number], job: ApplyJob): Promise<void> {
  const { dialect, secret, ...wanted } = withSecrets(entry, job.environment);
  const where = { tenantId: ctx.tenantId, name: entry.name, deletedAt: null };
  const found = await ctx.transaction.tx.provider.findFirst({ where, select: { id: true } });
  if (!found) {
    await createProvider(ctx, { ...wanted, dialect, secret });
    job.summary.created.push(`provider ${entry.name}`);
    return;
  }
  const stored = await lockProvider(ctx, found.id);
  if (dialect !== stored.dialect)
    throw new SluiceError("conflict", { message: "A provider's dialect cannot be changed: use another name.", field: "dialect" });
  const opened = openProvider(ctx, toProviderConfig(stored));
  const change = Object.fromEntries(
    Object.entries({ ...wanted, secret }).filter(([field, value]) => differs(stored, opened, field as keyof Provider, value)),
  );
  if (Object.keys(change).length === 0) {
    job.summary.unchanged += 1;
    return;
  }
  // A new origin requires the secret, even if it is the stored one.
  const moves = change.baseUrl !== undefined || change.proxy !== undefined;
  await updateProvider(ctx, {
    ...change,
    id: stored.id,
    ...(moves && { secret, ...(wanted.credentials && { credentials: wanted.credentials }) }),
  });
  job.summary.updated.push(`provider ${entry.name} (${Object.keys(change).join(", ")})`);
}

/** An entry with the variables replaced by their values. */
function withSecrets({ secret, credentials, proxy, ...plain }: ConfigFile["providers"][number], environment: Environment) {
  const inClear = (field: SecretField): string => resolveSecret(field, environment) ?? "";
  return {
    ...plain,
    secret: inClear(secret),
    ...(credentials && { credentials: credentials.map((one) => ({ ...one, secret: inClear(one.secret) })) }),
    ...(proxy !== undefined && { proxy: proxy === null ? null : inClear(proxy) }),
  };
}

function differs(stored: Provider, opened: OpenedSecrets, field: keyof Provider, value: unknown): boolean {
  if (value === undefined) return false;
  if (field === "secret") return opened.secret !== value;
  if (field === "proxy") return opened.proxy !== (value ?? "");
  if (field === "credentials") return !isDeepStrictEqual(openedCredentials(stored, opened), value);
  if (field === "costMultiplier") return parseDecimal(stored.costMultiplier.toFixed()) !== parseDecimal(String(value));
  if (field === "modelRedirects") return !isDeepStrictEqual(redirectList(stored[field] as unknown as ModelRedirects), value);
  if (isLimit(field)) return limitDiffers(stored[field], value);
  return !isDeepStrictEqual(stored[field], value);
}

function openedCredentials(stored: Provider, { credentials }: OpenedSecrets) {
  const list = toProviderConfig(stored).credentials ?? [];
  return list.map(({ label, weight }) => ({ label, secret: credentials.get(label), weight }));
}

function isLimit(field: PropertyKey): field is (typeof limitNames)[number] {
  return (limitNames as readonly PropertyKey[]).includes(field);
}

/** Whether a stored limit differs from the file's: "10" and "10.00" are equal. */
function limitDiffers(stored: number | { toFixed(): string } | null, wanted: unknown): boolean {
  if (wanted === undefined) return false;
  if (stored === null || wanted === null || typeof stored === "number") return stored !== wanted;
  return parseDecimal(stored.toFixed()) !== parseDecimal(String(wanted));
}

/** The limits in which an entry differs from the stored row. */
function limitChanges<E extends { [N in (typeof limitNames)[number]]?: unknown }>(
  entry: E,
  stored: { [N in (typeof limitNames)[number]]: number | { toFixed(): string } | null },
): Partial<E> {
  const names = limitNames.filter((name) => limitDiffers(stored[name], entry[name]));
  return Object.fromEntries(names.map((name) => [name, entry[name]])) as Partial<E>;
}

async function applyGroup(ctx: TxCtx, entry: ConfigFile["groups"][number], job: ApplyJob): Promise<void> {
  const where = { tenantId_name: { tenantId: ctx.tenantId, name: entry.name } };
  const stored = await ctx.transaction.tx.group.findUnique({ where });
  const isSame =
    stored !== null &&
    parseDecimal(stored.costMultiplier.toFixed()) === parseDecimal(entry.costMultiplier ?? "1") &&
    limitNames.every((name) => !limitDiffers(stored[name], entry[name] ?? null));
  if (isSame) {
    job.summary.unchanged += 1;
    return;
  }
  await setGroup(ctx, entry);
  (stored ? job.summary.updated : job.summary.created).push(`group ${entry.name}`);
}

async function applyUser(ctx: TxCtx, entry: ConfigFile["users"][number], job: ApplyJob): Promise<string> {
  const { email, name, role, billing: _billing, keys: _keys, ...limits } = entry;
  const stored = await ctx.transaction.tx.user.findUnique({ where: { tenantId_email: { tenantId: ctx.tenantId, email } } });
  if (!stored) {
    const created = await createUser(ctx, { email, name: name ?? email.split("@")[0] ?? email, role, ...limits });
    if (entry.billing !== undefined) await updateAccount(ctx, { userId: created.id, billing: entry.billing });
    job.summary.created.push(`user ${email}`);
    return created.id;
  }
  const account = await ctx.transaction.tx.account.findUnique({ where: { userId: stored.id }, select: { billing: true } });
  const billing = entry.billing !== undefined && entry.billing !== (account?.billing ?? "postpaid") ? entry.billing : undefined;
  const change = {
    ...(name !== undefined && name !== stored.name && { name }),
    ...(role !== undefined && role !== stored.role && { role }),
    ...(limits.policies && !isDeepStrictEqual(limits.policies, stored.policies) && { policies: limits.policies }),
    ...limitChanges(limits, stored),
  };
  const changed = [...Object.keys(change), ...(billing === undefined ? [] : ["billing"])];
  if (changed.length === 0) job.summary.unchanged += 1;
  else {
    if (Object.keys(change).length > 0) await updateUser(ctx, { id: stored.id, ...change });
    if (billing !== undefined) await updateAccount(ctx, { userId: stored.id, billing });
    job.summary.updated.push(`user ${email} (${changed.join(", ")})`);
  }
  return stored.id;
}

type KeyEntry = ConfigFile["users"][number]["keys"][number] & { userId: string; email: string };

async function applyKey(ctx: TxCtx, entry: KeyEntry, job: ApplyJob): Promise<void> {
  const { userId, email, name } = entry;
  const label = `key ${name} of ${email}`;
  const fixed = entry.key === undefined ? undefined : (resolveSecret(entry.key, job.environment) ?? undefined);
  const stored = await ctx.transaction.tx.key.findFirst({ where: { userId, name, revokedAt: null } });
  if (stored) {
    if (fixed !== undefined && stored.sha256 !== hashToken(fixed)) {
      throw new SluiceError("conflict", { message: "A key's secret cannot be changed: revoke the key or use another name.", field: "key" });
    }
    const change = {
      ...(entry.group !== undefined && entry.group !== stored.group && { group: entry.group }),
      ...(entry.policies && !isDeepStrictEqual(entry.policies, stored.policies) && { policies: entry.policies }),
      ...limitChanges(limitsOf(entry), stored),
    };
    if (Object.keys(change).length === 0) job.summary.unchanged += 1;
    else {
      await updateKey(ctx, { id: stored.id, ...change });
      job.summary.updated.push(`${label} (${Object.keys(change).join(", ")})`);
    }
    return;
  }
  if (fixed === undefined && !job.showsSecrets) {
    job.summary.notes.push(`${label} has no fixed key: "config apply" creates it and shows its secret`);
    return;
  }
  const taken = fixed === undefined ? null : await ctx.transaction.tx.key.findUnique({ where: { sha256: hashToken(fixed) } });
  if (taken?.revokedAt) {
    // Somebody revoked it on purpose: a restart must not bring it back.
    job.summary.notes.push(`${label} was revoked and stays revoked`);
    return;
  }
  if (taken) throw new SluiceError("conflict", { message: "Another key already has this secret.", field: "key" });
  const { secret } = await addKey(ctx, { userId, name, group: entry.group, policies: entry.policies, ...limitsOf(entry) }, fixed);
  job.summary.created.push(label);
  if (fixed === undefined) job.summary.secrets.push({ user: email, key: name, secret });
}

function limitsOf(entry: KeyEntry): Pick<KeyEntry, (typeof limitNames)[number]> {
  const { name: _name, group: _group, policies: _policies, key: _key, userId: _userId, email: _email, ...limits } = entry;
  return limits;
}

async function applyPrice(ctx: TxCtx, entry: ConfigFile["prices"][number], job: ApplyJob): Promise<void> {
  const before = await ctx.transaction.tx.price.findFirst({
    where: { tenantId: ctx.tenantId, model: entry.model },
    orderBy: { id: "desc" },
    select: { id: true },
  });
  const price = await setPrice(ctx, entry);
  if (price.id === before?.id) job.summary.unchanged += 1;
  else (before ? job.summary.updated : job.summary.created).push(`price ${entry.model}`);
}

async function applySettings(ctx: TxCtx, wanted: ConfigFile["settings"], job: ApplyJob): Promise<void> {
  const names = await placeSettings(ctx, wanted, "settings.update");
  if (ctx.actor.kind === "system" && ctx.actor.name === "config") await releaseSettings(ctx, Object.keys(wanted));
  if (names.length > 0) job.summary.updated.push(`settings (${names.join(", ")})`);
}
