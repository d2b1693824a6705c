import { type AlertKind, type AlertScope, type AlertSeverity, alertKindFacts } from "@sluice/core/alerts/alert-kinds";
import { items } from "../../ui/use-input-form.ts";
import type { Rule } from "./alert-words.ts";

/** The form's values. */
export interface RuleValues {
  kind: AlertKind;
  name: string;
  severity: AlertSeverity;
  threshold: string;
  windowMinutes: string;
  minimumRequests: string;
  scope: AlertScope;
  scopeId: string;
  resolveAfterSeconds: string;
  capacityMb: string;
  channelIds: string[];
  /** One window per line. */
  quietHours: string;
  zone: string;
  criticalThrough: boolean;
}

const MB = 1_000_000;

export function toRuleValues(rule: Rule | null): RuleValues {
  return {
    kind: rule?.kind ?? "error_rate",
    name: rule?.name ?? "",
    severity: rule?.severity ?? "warning",
    threshold: String(rule?.threshold ?? alertKindFacts.error_rate.threshold),
    windowMinutes: String(rule?.windowMinutes ?? 15),
    minimumRequests: String(rule?.minimumRequests ?? 20),
    scope: rule?.scope ?? "all",
    scopeId: rule?.scopeId ?? "",
    resolveAfterSeconds: String(rule?.resolveAfterSeconds ?? 60),
    capacityMb: String((rule?.capacityBytes ?? 0) / MB),
    channelIds: rule?.channelIds ?? [],
    quietHours: rule?.quietHours.windows.map(({ from, to }) => `${from}-${to}`).join("\n") ?? "",
    zone: rule?.quietHours.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    criticalThrough: rule?.criticalThrough ?? true,
  };
}

/** The form's values as input; fields that the kind does not use keep their value or a default. */
export function toRuleInput({ capacityMb, quietHours, zone, ...values }: RuleValues) {
  const { unit, scopes } = alertKindFacts[values.kind];
  const scope = scopes.includes(values.scope) ? values.scope : "all";
  return {
    ...values,
    threshold: unit === null ? 1 : Number(values.threshold),
    windowMinutes: Number(values.windowMinutes),
    minimumRequests: Number(values.minimumRequests),
    ...{ scope, scopeId: scope === "all" ? "" : values.scopeId.trim() },
    resolveAfterSeconds: Number(values.resolveAfterSeconds),
    capacityBytes: Math.round(Number(capacityMb) * MB),
    quietHours: {
      zone: zone.trim() || "UTC",
      windows: items(quietHours).map((line) => {
        const [from = "", to = ""] = line.split(/\s*[-–—~]\s*/);
        return { from, to };
      }),
    },
  };
}
