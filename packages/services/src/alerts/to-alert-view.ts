import type { AlertKind, AlertScope, AlertSeverity } from "@sluice/core/alerts/alert-kinds";
import type { AlertIncident, AlertTransition } from "@sluice/core/alerts/alert-view";
import type { Schedule } from "@sluice/core/routing/schedule";
import type { AlertChannel, AlertDelivery, AlertRule, AlertIncident as StoredIncident } from "@sluice/db/generated/client";
import type { AlertChannelView, AlertDeliveryView, AlertIncidentView, AlertRuleView } from "./alert-view.ts";

/** A stored rule in the form that the rest of the system uses. */
export function toRuleView({ tenantId: _tenant, createdAt: _created, updatedAt: _updated, ...row }: AlertRule): AlertRuleView {
  return {
    ...row,
    kind: row.kind as AlertKind,
    severity: row.severity as AlertSeverity,
    scope: row.scope as AlertScope,
    threshold: row.threshold.toNumber(),
    capacityBytes: Number(row.capacityBytes),
    quietHours: row.quietHours as unknown as { zone: Schedule["zone"]; windows: { from: string; to: string }[] },
  };
}

/** A stored channel without its secret. */
export function toChannelView({ id, name, kind, language, enabled, config, secret }: AlertChannel): AlertChannelView {
  return { id, name, kind, language, enabled, config, hasSecret: secret !== "" } as unknown as AlertChannelView;
}

/** A stored incident in the form that is pushed to viewers. */
export function toIncident(row: StoredIncident): AlertIncident {
  return {
    id: row.id,
    ruleId: row.ruleId,
    ruleName: row.ruleName,
    kind: row.kind as AlertKind,
    severity: row.severity as AlertSeverity,
    subject: { kind: row.subject as AlertScope, id: row.subjectId },
    threshold: row.threshold.toNumber(),
    value: row.value.toNumber(),
    lastValue: row.lastValue.toNumber(),
    firedAtMs: row.firedAt.getTime(),
    resolvedAtMs: row.resolvedAt?.getTime() ?? null,
    resolution: row.resolution as AlertIncident["resolution"],
  };
}

export function toIncidentView({ deliveries, ...row }: StoredIncident & { deliveries: AlertDelivery[] }): AlertIncidentView {
  return { ...toIncident(row), clearSinceMs: row.clearSince?.getTime() ?? null, deliveries: deliveries.map(toDeliveryView) };
}

function toDeliveryView({ channelId, transition, state, attempts, nextAt, deliveredAt, answer }: AlertDelivery): AlertDeliveryView {
  return {
    channelId,
    transition: transition as AlertTransition,
    state: state as AlertDeliveryView["state"],
    attempts,
    nextAtMs: nextAt.getTime(),
    deliveredAtMs: deliveredAt?.getTime() ?? null,
    answer,
  };
}
