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

/** A new channel with its signing secret, which is shown only this once. */
export interface CreatedChannel {
  channel: AlertChannelView;
  /** null for channels that do not sign their messages. */
  signingSecret: string | null;
}

/** Every channel, ordered by name. */
export async function listAlertChannels(ctx: Ctx): Promise<AlertChannelView[]> {
  requireAccess(ctx.actor, "admin");
  const rows = await ctx.prisma.alertChannel.findMany({ where: { tenantId: ctx.tenantId }, orderBy: { name: "asc" } });
  return rows.map(toChannelView);
}

/** @throws SluiceError `conflict` (name taken), `invalid_request` (an address that must not be called). */
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

/**
 * @throws SluiceError `not_found`, `conflict` (name taken), `invalid_request` (an address that must not be called, or a stored password
 * that would go to another host).
 */
export async function updateAlertChannel(ctx: Ctx, input: z.input<typeof UpdateAlertChannelInput>): Promise<AlertChannelView> {
  requireAccess(ctx.actor, "admin");
  const { id, kind, secret, ...change } = parse(UpdateAlertChannelInput, input);
  return withTransaction(ctx, async (ctx) => {
    const stored = await lockChannel(ctx, id);
    const before = toChannelView(stored);
    if (before.kind !== kind)
      throw new SluiceError("invalid_request", { message: "The kind of a channel cannot be changed.", field: "kind" });
    const after = { ...before, ...change } as AlertChannelView;
    requireAllowed(ctx, after);
    if (secret === undefined && stored.secret !== "" && isMoved(before, after))
      throw new SluiceError("invalid_request", {
        message: "Enter the password again, because it would be sent to another host.",
        field: "secret",
      });
    const data = { ...change, ...(secret !== undefined && { secret: ctx.channelSecrets.encrypt(secret, id) }) };
    const channel = toChannelView(await ctx.transaction.tx.alertChannel.update({ where: { id }, data }));
    await audit(ctx, { action: "alert-channel.update", targetKind: "alert", targetId: id, before, after: channel });
    await announce(ctx, id);
    return channel;
  });
}

/** Deletes a channel. Its pending messages are dropped, and rules no longer refer to it. @throws SluiceError `not_found`. */
export async function deleteAlertChannel(ctx: Ctx, input: z.input<typeof AlertIdInput>): Promise<void> {
  requireAccess(ctx.actor, "admin");
  const { id } = parse(AlertIdInput, input);
  await withTransaction(ctx, async (ctx) => {
    const before = toChannelView(await lockChannel(ctx, id));
    const { tx } = ctx.transaction;
    await tx.alertChannel.delete({ where: { id } });
    await tx.$executeRaw`UPDATE alert_rules SET channel_ids = array_remove(channel_ids, ${id}::uuid)
      WHERE tenant_id = ${ctx.tenantId} AND ${id}::uuid = ANY(channel_ids)`;
    await audit(ctx, { action: "alert-channel.delete", targetKind: "alert", targetId: id, before });
    await announce(ctx, id);
  });
}

/** Sends one message now and returns the answer; a failed test is a result, not an error. @throws SluiceError `not_found`. */
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

/** Locks the row until the transaction ends, so that a stored password stays with the host it was given for. */
async function lockChannel(ctx: TxCtx, id: string): Promise<AlertChannel> {
  const { tx } = ctx.transaction;
  await tx.$executeRaw`SELECT FROM alert_channels WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.alertChannel.findFirst({ where: { id, tenantId: ctx.tenantId } });
  if (!row) throw new SluiceError("not_found");
  return row;
}

/** Checked before storing, like a provider's base URL; what a host name resolves to is checked at each call. */
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

/** Whether the stored password would go to another server. The secret of a webhook only signs and is never sent. */
function isMoved(before: AlertChannelView, after: AlertChannelView): boolean {
  if (before.kind !== "email" || after.kind !== "email") return false;
  return before.config.host !== after.config.host || before.config.port !== after.config.port;
}

async function announce(ctx: TxCtx, id: string): Promise<void> {
  bumpConfigVersion(ctx);
  emit(ctx, { type: "alert.changed", id });
}
