import type { AlertKind, AlertSeverity, AlertSubject } from "./alert-kinds.ts";

export const alertTransitions = ["fired", "resolved"] as const;
export type AlertTransition = (typeof alertTransitions)[number];

/** An incident as it is pushed and listed. Values are in the kind's unit. */
export interface AlertIncident {
  id: string;
  ruleId: string;
  ruleName: string;
  kind: AlertKind;
  severity: AlertSeverity;
  subject: AlertSubject;
  threshold: number;
  /** Value at the start, and at the last evaluation or the end. */
  value: number;
  lastValue: number;
  firedAtMs: number;
  /** null while it is open. */
  resolvedAtMs: number | null;
  /** rule_off: the rule was switched off or removed. */
  resolution: "" | "clear" | "rule_off";
}
