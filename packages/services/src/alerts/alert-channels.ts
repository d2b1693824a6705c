import { randomBytes } from "node:crypto";
import { testMessage } from "@sluice/core/alerts/alert-text";
import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { AlertIdInput, CreateAlertChannelInput, UpdateAlertChannelInput } from "@sluice/core/inputs/alert";
import type { AlertChannel } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { bumpConfigVersion, emit, type TxCtx, withTransaction } from "../transaction.ts";
import type { AlertChannelView, SendResult } from "./alert-view.ts";
import { sendMessage } from "./send-message.ts";
import { toChannelView } from "./to-alert-view.ts";

/** A channel, and what its messages are signed with: shown this once. */
export interface CreatedChannel {
  channel: AlertChannelView;
  /** null at a channel that signs nothing. */
  signingSecret: string | null;
}

/** Every channel, by name. */
export async function listAlertChannels(ctx: Ctx): Promise<AlertChannelView[]> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.alertChannel.findMany({ where: { tenantId: ctx.tenantId }, orderBy: { name: "asc" } });
  return rows.map(toChannelView);
}

/** @throws SluiceError `conflict` (name taken), `invalid_request` (an address that may not be called). */
export async function createAlertChannel(ctx: Ctx, input: z.input<typeof CreateAlertChannelInput>): Promise<CreatedChannel> {
  requireAccess(ctx.actor, "admin");
  const { secret, ...wanted } = parse(CreateAlertChannelInput, input);
  requireAllowed(ctx, wanted);
  const signingSecret = wanted.kind === "webhook" ? (secret ?? `whsec_${randomBytes(32).toString("base64")}`) : null;
  const stored = signingSecret ?? secret ?? "";
  return withTransaction(ctx, async (ctx) => {
    const id = newId();
    const sealed = stored === "" ? "" : ctx.channelSecrets.encrypt(stored, id);
    const row = await ctx.transaction.tx.alertChannel.create({ data: { ...wanted, id, tenantId: ctx.tenantId, secret: sealed } });
    const channel = toChannelView(row);
    await audit(ctx, { action: "alert-channel.create", targetKind: "alert", targetId: id, after: channel });
    await announce(ctx, id);
    return { channel, signingSecret };
  });
}

/** @throws SluiceError `not_found`, `conflict` (name taken), `invalid_request` (an address that may not be called, a password that would go to another host). */
export async function updateAlertChannel(ctx: Ctx, input: z.input<typeof UpdateAlertChannelInput>): Promise<AlertChannelView> {
  requireAccess(ctx.actor, "admin");
  const { id, kind, secret, ...change } = parse(UpdateAlertChannelInput, input);
  return withTransaction(ctx, async (ctx) => {
    const stored = await storedChannel(ctx, id);
    const before = toChannelView(stored);
    if (before.kind !== kind) throw new SluiceError("invalid_request", { message: "A channel stays of its kind.", field: "kind" });
    const after = { ...before, ...change } as AlertChannelView;
    requireAllowed(ctx, after);
    if (secret === undefined && stored.secret !== "" && isMoved(before, after))
      throw new SluiceError("invalid_request", { message: "Enter the password anew: it would go to another host.", field: "secret" });
    const data = { ...change, ...(secret !== undefined && { secret: ctx.channelSecrets.encrypt(secret, id) }) };
    const channel = toChannelView(await ctx.transaction.tx.alertChannel.update({ where: { id }, data }));
    await audit(ctx, { action: "alert-channel.update", targetKind: "alert", targetId: id, before, after: channel });
    await announce(ctx, id);
    return channel;
  });
}

/** What was to be told there is told no more; rules name it no longer. @throws SluiceError `not_found`. */
export async function deleteAlertChannel(ctx: Ctx, input: z.input<typeof AlertIdInput>): Promise<void> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(AlertIdInput, input);
  await withTransaction(ctx, async (ctx) => {
    const before = toChannelView(await storedChannel(ctx, id));
    const { tx } = ctx.transaction;
    await tx.alertChannel.delete({ where: { id } });
    await tx.$executeRaw`UPDATE alert_rules SET channel_ids = array_remove(channel_ids, ${id}::uuid) WHERE tenant_id = ${ctx.tenantId}`;
    await audit(ctx, { action: "alert-channel.delete", targetKind: "alert", targetId: id, before });
    await announce(ctx, id);
  });
}

/** Sends one message now and gives what was answered: a test that fails is a result. @throws SluiceError `not_found`. */
export async function testAlertChannel(ctx: Ctx, input: z.input<typeof AlertIdInput>): Promise<SendResult> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(AlertIdInput, input);
  const row = await ctx.prisma.alertChannel.findFirst({ where: { id, tenantId: ctx.tenantId } });
  if (!row) throw new SluiceError("not_found");
  const channel = toChannelView(row);
  const message = testMessage(channel.language);
  const payload = { type: "alert.test", timestamp: new Date(ctx.clock.now()).toISOString(), data: message };
  const result = await sendMessage(ctx, { channel, sealed: row.secret, id: newId(), message, payload });
  await withTransaction(ctx, (ctx) =>
    audit(ctx, { action: "alert-channel.test", targetKind: "alert", targetId: id, after: { ok: result.ok, status: result.status } }),
  );
  return result;
}

async function storedChannel(ctx: TxCtx, id: string): Promise<AlertChannel> {
  const row = await ctx.transaction.tx.alertChannel.findFirst({ where: { id, tenantId: ctx.tenantId } });
  if (!row) throw new SluiceError("not_found");
  return row;
}

/** Refused before it is stored, as a provider's base URL is; what a name leads to is looked at when it is called. */
function requireAllowed({ egress }: Ctx, channel: Pick<AlertChannelView, "kind" | "config">): void {
  const [url, field] =
    "url" in channel.config ? [channel.config.url, "config.url"] : [hostUrl(channel.config.host, channel.config.port), "config.host"];
  try {
    egress.checkUrl(url);
  } catch (thrown) {
    const message = thrown instanceof SluiceError ? thrown.message : undefined;
    throw new SluiceError("invalid_request", { message, field, cause: thrown });
  }
}

function hostUrl(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether a stored password would be sent elsewhere; what signs a webhook is never sent. */
function isMoved(before: AlertChannelView, after: AlertChannelView): boolean {
  if (before.kind !== "email" || after.kind !== "email") return false;
  return before.config.host !== after.config.host || before.config.port !== after.config.port;
}

async function announce(ctx: TxCtx, id: string): Promise<void> {
  await bumpConfigVersion(ctx);
  emit(ctx, { type: "alert.changed", id });
}
