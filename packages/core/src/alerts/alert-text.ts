import { formatUsd } from "../money.ts";
import { alertKindNames } from "./alert-kind-names.ts";
import { type AlertKind, alertKindFacts } from "./alert-kinds.ts";
import type { AlertIncident, AlertTransition } from "./alert-view.ts";

export type AlertLanguage = "en" | "zh-CN";

const words = {
  en: {
    fired: "Alert",
    resolved: "Resolved",
    critical: "critical",
    warning: "warning",
    value: "now",
    threshold: "threshold",
    off: "the rule was turned off",
    test: "This is a test message: the channel works.",
  },
  "zh-CN": {
    fired: "告警",
    resolved: "已恢复",
    critical: "严重",
    warning: "警告",
    value: "当前",
    threshold: "阈值",
    off: "规则已停用",
    test: "这是一条测试消息：通知渠道可用。",
  },
} as const;

/** A value formatted in its kind's unit; '' for a kind that has none. */
export function alertValueText(kind: AlertKind, value: number): string {
  switch (alertKindFacts[kind].unit) {
    case "usd":
      return `$${formatUsd(BigInt(Math.round(value * 1e9))).replace(/(\.\d{4})\d+$/, "$1")}`;
    case "percent":
      return `${Math.round(value * 10) / 10} %`;
    case "ms":
      return `${Math.round(value)} ms`;
    case "records":
      return String(Math.round(value));
    case null:
      return "";
  }
}

export interface AlertMessage {
  /** One line. */
  title: string;
  text: string;
}

/** The message about an incident; `subjectName` is '' when it concerns all. */
export function alertMessage(
  incident: AlertIncident,
  { transition, subjectName, language }: { transition: AlertTransition; subjectName: string; language: AlertLanguage },
): AlertMessage {
  const say = words[language];
  const about = subjectName === "" ? "" : ` · ${subjectName}`;
  const title = `[Sluice] ${say[transition]} (${say[incident.severity]}): ${incident.ruleName}${about}`;
  const { kind, threshold } = incident;
  const now = alertValueText(kind, transition === "fired" ? incident.value : incident.lastValue);
  const figures = now === "" ? "" : `: ${say.value} ${now}, ${say.threshold} ${alertValueText(kind, threshold)}`;
  const off = incident.resolution === "rule_off" ? ` (${say.off})` : "";
  return { title, text: `${alertKindNames[language][kind]}${about}${figures}${off}` };
}

/** The test message of a channel. */
export function testMessage(language: AlertLanguage): AlertMessage {
  return { title: "[Sluice] Test", text: words[language].test };
}
