import type { AlertSubject } from "@sluice/core/alerts/alert-kinds";
import { alertMessage } from "@sluice/core/alerts/alert-text";
import type { AlertTransition } from "@sluice/core/alerts/alert-view";
import type { AlertChannel, AlertDelivery, AlertIncident } from "@sluice/db/generated/client";
import type { Ctx, Transaction } from "../context.ts";
import type { SendResult } from "./alert-view.ts";
import { sendMessage } from "./send-message.ts";
import { toChannelView, toIncident } from "./to-alert-view.ts";

/** Concurrent deliveries. Each holds a Postgres connection, for as long as a channel takes to answer. */
const LANES = 2;
/** Far above the time that one attempt can take. */
const TRANSACTION_MS = 30_000;

/** Seconds to wait after each failed attempt; after the last pause, one more failure is final. */
const pausesS = [5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400];

/**
 * Creates the sender of pending incident messages, which every worker calls repeatedly. A message is claimed by its row lock, held while
 * it is being sent, so no other worker takes it; if the sender dies, the lock is released and the next worker sends the message again
 * under the same id. So every message is delivered, and twice only if the sender dies between the answer and the commit. Without channels
 * no query runs.
 */
export function createAlertDelivery(ctx: Ctx): (signal: AbortSignal) => Promise<void> {
  let version: string | null = null;
  let isUsed = true;
  return async (signal) => {
    const now = ctx.snapshot.current().version;
    if (version !== now) isUsed = (await ctx.prisma.alertChannel.count({ where: { tenantId: ctx.tenantId } })) > 0;
    version = now;
    if (!isUsed || !(await hasDue(ctx))) return;
    await Promise.all(Array.from({ length: LANES }, () => runLane(ctx, signal)));
  };
}

async function hasDue({ pool, clock }: Ctx): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM alert_deliveries WHERE state = 'pending' AND next_at <= $1 LIMIT 1", [
    new Date(clock.now()),
  ]);
  return rowCount === 1;
}

async function runLane(ctx: Ctx, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) if (!(await deliverNext(ctx, signal))) return;
}

/** Sends the next due message; false when none is due. */
async function deliverNext(ctx: Ctx, signal: AbortSignal): Promise<boolean> {
  const incidentId = await ctx.prisma.$transaction(
    async (tx) => {
      const due = await claim(tx, ctx.clock.now());
      if (!due) return null;
      const result = await send(ctx, due, signal);
      // The shutdown interrupted the attempt: do not count it, another worker repeats it.
      if (!result.ok) signal.throwIfAborted();
      await note(tx, due, { result, nowMs: ctx.clock.now() });
      return due.incidentId;
    },
    { maxWait: 5_000, timeout: TRANSACTION_MS },
  );
  if (incidentId === null) return false;
  ctx.live.bus.publish({ type: "alert.changed", id: incidentId });
  return true;
}

type Due = AlertDelivery & { channel: AlertChannel; incident: AlertIncident };

/** Claims a due message. The end of an incident is sent only after the message of its beginning was delivered or has failed. */
async function claim(tx: Transaction["tx"], nowMs: number): Promise<Due | null> {
  const [row] = await tx.$queryRaw<{ id: string }[]>`
    SELECT d.id FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id
    WHERE d.state = 'pending' AND d.next_at <= ${new Date(nowMs)} AND c.enabled
      AND NOT EXISTS (SELECT FROM alert_deliveries f WHERE d.transition = 'resolved'
        AND f.incident_id = d.incident_id AND f.channel_id = d.channel_id AND f.transition = 'fired' AND f.state = 'pending')
    ORDER BY d.next_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED`;
  return row ? tx.alertDelivery.findUnique({ where: { id: row.id }, include: { channel: true, incident: true } }) : null;
}

function send(ctx: Ctx, due: Due, signal: AbortSignal): Promise<SendResult> {
  const channel = toChannelView(due.channel);
  const incident = toIncident(due.incident);
  const transition = due.transition as AlertTransition;
  const subjectName = nameOf(ctx, incident.subject);
  const message = alertMessage(incident, { transition, subjectName, language: channel.language });
  const { firedAtMs, resolvedAtMs, subject, ...rest } = incident;
  const data = {
    ...rest,
    subject: { ...subject, name: subjectName },
    firedAt: new Date(firedAtMs).toISOString(),
    resolvedAt: resolvedAtMs === null ? null : new Date(resolvedAtMs).toISOString(),
    ...message,
    url: `${ctx.publicUrl}/alerts`,
  };
  // A "fired" message reports the state at the beginning, whatever has happened since.
  const payload = {
    type: `alert.${transition}`,
    timestamp: data[transition === "fired" ? "firedAt" : "resolvedAt"],
    deliveryId: due.id,
    data,
  };
  return sendMessage(ctx, { channel, sealed: due.channel.secret, id: due.id, message, payload, signal });
}

/** The name that the console shows, or the id if the subject no longer exists. */
function nameOf(ctx: Ctx, { kind, id }: AlertSubject): string {
  const { providers, users, keysBySha256 } = ctx.snapshot.current();
  if (kind === "provider") return providers.find((one) => one.id === id)?.name ?? id;
  if (kind === "user") return users.get(id)?.name ?? id;
  if (kind === "key") return [...keysBySha256.values()].find((one) => one.id === id)?.name ?? id;
  return id;
}

async function note(tx: Transaction["tx"], due: Due, { result, nowMs }: { result: SendResult; nowMs: number }): Promise<void> {
  const attempts = due.attempts + 1;
  const pauseS = pausesS[attempts - 1];
  const answer = [result.status, result.answer].filter(Boolean).join(" ").slice(0, 300);
  const after = result.ok
    ? { state: "delivered", deliveredAt: new Date(nowMs) }
    : pauseS === undefined
      ? { state: "failed" }
      : { nextAt: new Date(nowMs + pauseS * 1_000) };
  await tx.alertDelivery.update({ where: { id: due.id }, data: { attempts, answer, ...after } });
}
