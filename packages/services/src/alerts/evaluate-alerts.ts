import { type AlertSubject, alertKindFacts } from "@sluice/core/alerts/alert-kinds";
import type { AlertTransition } from "@sluice/core/alerts/alert-view";
import { type AlertReading, judgeReading } from "@sluice/core/alerts/judge-reading";
import { deliverAtMs } from "@sluice/core/alerts/quiet-hours";
import { newId } from "@sluice/core/ids";
import type { AlertIncident } from "@sluice/db/generated/client";
import type { Ctx } from "../context.ts";
import { emit, type TxCtx, withTransaction } from "../transaction.ts";
import type { AlertRuleView } from "./alert-view.ts";
import { CacheWindow } from "./cache-window.ts";
import { readFigures, type SubjectReading } from "./read-figures.ts";
import { toIncident, toRuleView } from "./to-alert-view.ts";

/**
 * Creates the evaluation of all enabled rules. Every worker calls it repeatedly, and a lock lets one at a time run. Incidents that begin
 * or end are written together with their messages, which `createAlertDelivery` sends. Without rules and open incidents no query runs:
 * rules are reloaded only when the configuration version changes.
 */
export function createAlertEvaluation(ctx: Ctx): (signal: AbortSignal) => Promise<void> {
  let version: string | null = null;
  let rules: AlertRuleView[] = [];
  let isIdle = false;
  const caches = new CacheWindow();
  return async (signal) => {
    const now = ctx.snapshot.current().version;
    if (version !== now) {
      rules = (await ctx.prisma.alertRule.findMany({ where: { tenantId: ctx.tenantId, enabled: true } })).map(toRuleView);
      version = now;
      isIdle = false;
    }
    if (isIdle) return;
    const open = await withTransaction(ctx, (ctx) => evaluate(ctx, { rules, caches, signal }));
    isIdle = rules.length === 0 && open === 0;
  };
}

interface Look {
  rules: readonly AlertRuleView[];
  caches: CacheWindow;
  signal: AbortSignal;
}

/** Evaluates once. Returns the number of incidents that were open before, or null while another worker is evaluating. */
async function evaluate(ctx: TxCtx, { rules, caches, signal }: Look): Promise<number | null> {
  const { tx } = ctx.transaction;
  const [lock] = await tx.$queryRaw<{ got: boolean }[]>`SELECT pg_try_advisory_xact_lock(hashtextextended('sluice.alerts', 0)) AS got`;
  if (!lock?.got) return null;
  const open = await tx.alertIncident.findMany({ where: { tenantId: ctx.tenantId, resolvedAt: null } });
  const watched = new Set(rules.map(({ id }) => id));
  for (const incident of open) if (!watched.has(incident.ruleId)) await resolve(ctx, incident, { resolution: "rule_off" });
  for (const rule of rules) {
    if (signal.aborted) break;
    const own = open.filter(({ ruleId }) => ruleId === rule.id);
    const readings = await readFigures(ctx, rule, { open: own.map(subjectOf), caches }).catch((thrown: unknown) => {
      ctx.log.warn({ ruleId: rule.id, error: String(thrown) }, "the figures of an alert rule could not be read");
      return null;
    });
    if (readings) await applyReadings(ctx, rule, { open: own, readings });
  }
  return open.length;
}

function subjectOf({ subject, subjectId }: AlertIncident): AlertSubject {
  return { kind: subject as AlertSubject["kind"], id: subjectId };
}

const nameOf = ({ kind, id }: AlertSubject): string => `${kind} ${id}`;

/** A subject without a reading counts as clear. */
const gone: AlertReading = { value: 0, requests: 0 };

async function applyReadings(
  ctx: TxCtx,
  rule: AlertRuleView,
  { open, readings }: { open: readonly AlertIncident[]; readings: readonly SubjectReading[] },
): Promise<void> {
  const nowMs = ctx.clock.now();
  const facts = alertKindFacts[rule.kind];
  const bySubject = new Map(readings.map((one) => [nameOf(one.subject), one]));
  const { tx } = ctx.transaction;
  for (const incident of open) {
    const subject = subjectOf(incident);
    const reading = bySubject.get(nameOf(subject))?.reading ?? gone;
    bySubject.delete(nameOf(subject));
    const clearSinceMs = incident.clearSince?.getTime() ?? null;
    const verdict = judgeReading(facts, rule, reading, { open: { clearSinceMs }, nowMs });
    if (verdict === "resolve") await resolve(ctx, incident, { rule, value: reading.value, resolution: "clear" });
    else if (verdict !== "stay") {
      const clearSince = verdict === "clear" ? new Date(nowMs) : null;
      await tx.alertIncident.update({ where: { id: incident.id }, data: { clearSince, ...lastValue(reading.value) } });
    }
  }
  for (const { subject, reading } of bySubject.values()) {
    if (judgeReading(facts, rule, reading, { open: null, nowMs }) === "fire") await fire(ctx, rule, { subject, value: reading.value ?? 0 });
  }
}

function lastValue(value: number | null | undefined): { lastValue?: number } {
  return value == null ? {} : { lastValue: value };
}

async function fire(ctx: TxCtx, rule: AlertRuleView, { subject, value }: { subject: AlertSubject; value: number }): Promise<void> {
  const { id: ruleId, name: ruleName, kind, severity, threshold } = rule;
  const about = { subject: subject.kind, subjectId: subject.id, threshold, value, lastValue: value, firedAt: new Date(ctx.clock.now()) };
  const incident = await ctx.transaction.tx.alertIncident.create({
    data: { id: newId(), tenantId: ctx.tenantId, ruleId, ruleName, kind, severity, ...about },
  });
  await addDeliveries(ctx, rule, { incidentId: incident.id, transition: "fired" });
  emit(ctx, { type: "alert.fired", incident: toIncident(incident) });
}

interface Resolution {
  /** Absent if the rule was deleted: channels that reported the beginning report the end too. */
  rule?: AlertRuleView;
  value?: number | null;
  resolution: "clear" | "rule_off";
}

async function resolve(ctx: TxCtx, { id }: AlertIncident, { rule, value, resolution }: Resolution): Promise<void> {
  const { tx } = ctx.transaction;
  const data = { resolvedAt: new Date(ctx.clock.now()), resolution, ...lastValue(value) };
  const incident = await tx.alertIncident.update({ where: { id }, data });
  await addDeliveries(ctx, rule ?? null, { incidentId: id, transition: "resolved" });
  emit(ctx, { type: "alert.resolved", incident: toIncident(incident) });
}

/** Creates one message per channel, to be sent once quiet hours are over. The end goes to the channels that reported the beginning. */
async function addDeliveries(
  ctx: TxCtx,
  rule: AlertRuleView | null,
  { incidentId, transition }: { incidentId: string; transition: AlertTransition },
): Promise<void> {
  const { tx } = ctx.transaction;
  const { tenantId } = ctx;
  const told = transition === "fired" ? [] : await tx.alertDelivery.findMany({ where: { incidentId, transition: "fired" } });
  const ids = transition === "fired" ? (rule?.channelIds ?? []) : told.map(({ channelId }) => channelId);
  const channels = await tx.alertChannel.findMany({ where: { tenantId, enabled: true, id: { in: ids } }, select: { id: true } });
  const nowMs = ctx.clock.now();
  const nextAt = new Date(rule ? deliverAtMs(rule, nowMs) : nowMs);
  await tx.alertDelivery.createMany({
    data: channels.map(({ id }) => ({ id: newId(), incidentId, channelId: id, transition, nextAt })),
    skipDuplicates: true,
  });
}
