import { isDeepStrictEqual } from "node:util";
import { SluiceError } from "@sluice/core/errors";
import type { CreateAlertChannelInput, UpdateAlertChannelInput } from "@sluice/core/inputs/alert";
import type { z } from "zod";
import { createAlertChannel, updateAlertChannel } from "../alerts/alert-channels.ts";
import { createAlertRule, updateAlertRule } from "../alerts/alert-rules.ts";
import { toChannelView, toRuleView } from "../alerts/to-alert-view.ts";
import type { TxCtx } from "../transaction.ts";
import type { ApplyJob } from "./apply-job.ts";
import type { ConfigFile } from "./config-file.ts";
import { resolveSecret } from "./read-config.ts";

type ChannelEntry = ConfigFile["alerts"]["channels"][number];
type RuleEntry = ConfigFile["alerts"]["rules"][number];

/** Brings one channel to the state the file describes. */
export async function applyAlertChannel(ctx: TxCtx, { secret: field, ...entry }: ChannelEntry, job: ApplyJob): Promise<void> {
  const wanted = entry.kind === "webhook" ? { ...entry, config: { url: resolveSecret(entry.config.url, job.environment) } } : entry;
  const given = field === undefined ? undefined : (resolveSecret(field, job.environment) ?? undefined);
  // Trimmed like the form's input: otherwise a trailing newline would count as a change every time.
  const secret = wanted.kind === "webhook" ? given?.trim() : given;
  const label = `alert channel ${wanted.name}`;
  const where = { tenantId_name: { tenantId: ctx.tenantId, name: wanted.name } };
  const stored = await ctx.transaction.tx.alertChannel.findUnique({ where });
  if (!stored) {
    await createAlertChannel(ctx, { ...wanted, secret } as z.input<typeof CreateAlertChannelInput>);
    job.summary.created.push(label);
    return;
  }
  requireKind(stored, wanted);
  const change: Record<string, unknown> = changesOf(toChannelView(stored), wanted);
  const known = stored.secret === "" ? "" : ctx.channelSecrets.decrypt(stored.secret, stored.id);
  if (secret !== undefined && secret !== known) change.secret = secret;
  if (Object.keys(change).length === 0) {
    job.summary.unchanged += 1;
    return;
  }
  // A new mail server requires the password, even if it is the stored one.
  const input = { ...(change.config !== undefined && { secret }), ...change, id: stored.id, kind: wanted.kind };
  await updateAlertChannel(ctx, input as z.input<typeof UpdateAlertChannelInput>);
  job.summary.updated.push(`${label} (${Object.keys(change).join(", ")})`);
}

/** Brings one rule to the state the file describes; everything it names must exist by now. */
export async function applyAlertRule(ctx: TxCtx, { channels, scope, scopeName, ...plain }: RuleEntry, job: ApplyJob): Promise<void> {
  const wanted = {
    ...plain,
    ...(channels && { channelIds: await channelIdsOf(ctx, channels) }),
    ...(await scopeOf(ctx, { scope, scopeName })),
  };
  const label = `alert rule ${wanted.name}`;
  const where = { tenantId_name: { tenantId: ctx.tenantId, name: wanted.name } };
  const stored = await ctx.transaction.tx.alertRule.findUnique({ where });
  if (!stored) {
    await createAlertRule(ctx, wanted);
    job.summary.created.push(label);
    return;
  }
  requireKind(stored, wanted);
  const change = changesOf(toRuleView(stored), wanted);
  if (Object.keys(change).length === 0) {
    job.summary.unchanged += 1;
    return;
  }
  await updateAlertRule(ctx, { ...change, id: stored.id });
  job.summary.updated.push(`${label} (${Object.keys(change).join(", ")})`);
}

/** The fields in which an entry differs from the stored row. */
function changesOf<E extends object>(stored: object, wanted: E): Partial<E> {
  const known = new Map(Object.entries(stored));
  const changes = Object.entries(wanted).filter(([field, value]) => value !== undefined && !isDeepStrictEqual(known.get(field), value));
  return Object.fromEntries(changes) as Partial<E>;
}

function requireKind(stored: { kind: string }, wanted: { kind: string }): void {
  if (stored.kind !== wanted.kind)
    throw new SluiceError("conflict", { message: "The kind cannot be changed: use another name.", field: "kind" });
}

async function channelIdsOf({ tenantId, transaction }: TxCtx, names: readonly string[]): Promise<string[]> {
  const rows = await transaction.tx.alertChannel.findMany({
    where: { tenantId, name: { in: [...names] } },
    select: { id: true, name: true },
  });
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  return [...new Set(names)].map((name) => {
    const id = ids.get(name);
    if (id === undefined) throw new SluiceError("invalid_request", { message: `There is no channel ${name}.`, field: "channels" });
    return id;
  });
}

type Scope = Pick<RuleEntry, "scope" | "scopeName">;

/** Resolves the name that the file uses to an id. */
async function scopeOf(ctx: TxCtx, { scope, scopeName }: Scope): Promise<{ scope?: RuleEntry["scope"]; scopeId?: string }> {
  const refuse = (message: string): SluiceError => new SluiceError("invalid_request", { message, field: "scopeName" });
  if (scope === undefined) {
    if (scopeName !== undefined) throw refuse("Set the scope as well.");
    return {};
  }
  if (scope === "all") {
    if (scopeName !== undefined) throw refuse("The scope all takes no name.");
    return { scope, scopeId: "" };
  }
  if (scopeName === undefined) throw refuse("Name one with this scope.");
  const scopeId = scope === "model" ? scopeName : await idOf(ctx, scope, scopeName);
  if (scopeId === null) throw refuse(`There is no ${scope} with this name.`);
  return { scope, scopeId };
}

/** Looks up a provider by name, a user by e-mail, or a key by `e-mail/name`. */
async function idOf({ tenantId, transaction }: TxCtx, scope: "provider" | "user" | "key", name: string): Promise<string | null> {
  const { tx } = transaction;
  const select = { id: true };
  if (scope === "provider") return (await tx.provider.findFirst({ where: { tenantId, name, deletedAt: null }, select }))?.id ?? null;
  const slash = scope === "key" ? name.indexOf("/") : name.length;
  const email = name.slice(0, slash).trim().toLowerCase();
  const user = await tx.user.findUnique({ where: { tenantId_email: { tenantId, email } }, select });
  if (scope === "user" || !user) return user?.id ?? null;
  const key = await tx.key.findFirst({ where: { userId: user.id, name: name.slice(slash + 1).trim(), revokedAt: null }, select });
  return key?.id ?? null;
}
