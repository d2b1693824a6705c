import { type AlertKind, alertKindFacts } from "@sluice/core/alerts/alert-kinds";
import type { AlertIncident } from "@sluice/core/alerts/alert-view";
import type { Outputs } from "../../api/client.ts";
import type { NameLookup } from "../../api/names.ts";
import { exactCost, formatCost, formatDuration, formatExact, formatSpan } from "../../format.ts";
import type { Translate } from "../../text/translator.ts";

export type Rule = Outputs["alerts"]["rules"][number];
export type Channel = Outputs["alerts"]["channels"][number];
export type Incident = Outputs["alerts"]["open"][number];

/** A value in the unit of its kind; null for a kind without values. A threshold keeps the precision it was entered with. */
export function valueText(kind: AlertKind, value: number, language: string): string | null {
  switch (alertKindFacts[kind].unit) {
    case "usd":
      return formatCost(nanoOf(value));
    case "percent":
      return `${Math.round(value * 10) / 10}%`;
    case "ms":
      return formatDuration(value);
    case "records":
      return formatExact(Math.round(value), language);
    case null:
      return null;
  }
}

export function thresholdText(kind: AlertKind, threshold: number, language: string): string | null {
  return alertKindFacts[kind].unit === "usd" ? exactCost(nanoOf(threshold)) : valueText(kind, threshold, language);
}

function nanoOf(usd: number): string {
  return String(Math.round(usd * 1e9));
}

/** The subject of an incident by name; empty when it is about everything. */
export function subjectText(names: NameLookup, { kind, id }: AlertIncident["subject"]): string {
  if (kind === "provider") return names.provider(id);
  if (kind === "key") return names.key(id);
  if (kind === "user") return names.user(id);
  return id;
}

/** The condition of a rule, in one line. */
export function ruleConditions(t: Translate, rule: Rule, { names, language }: { names: NameLookup; language: string }): string {
  const { kind, scope, scopeId, threshold, windowMinutes, minimumRequests, quietHours } = rule;
  const { bad, windowed, counted } = alertKindFacts[kind];
  const value = thresholdText(kind, threshold, language);
  return [
    t(`alerts.kind.${kind}`) + (value === null ? "" : ` ${bad === "above" ? "≥" : "<"} ${value}`),
    windowed && t("alerts.over", { window: formatSpan(windowMinutes * 60, language) }),
    counted && t("alerts.atLeast", { count: minimumRequests }),
    scope !== "all" && `${t(`alerts.scope.${scope}`)} ${subjectText(names, { kind: scope, id: scopeId })}`,
    quietHours.windows.length > 0 &&
      t("alerts.quiet", { windows: quietHours.windows.map(({ from, to }) => `${from}-${to}`).join(", "), zone: quietHours.zone }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The address of a channel. */
export function channelTarget(channel: Channel): string {
  return channel.kind === "webhook" ? channel.config.url : channel.config.to.join(", ");
}
