import type { AlertKind } from "@sluice/core/alerts/alert-kinds";
import type { createAlertChannel } from "@sluice/services/alerts/alert-channels";
import type { createAlertRule } from "@sluice/services/alerts/alert-rules";

type ChannelInput = Parameters<typeof createAlertChannel>[1];
type RuleInput = Parameters<typeof createAlertRule>[1];

/** A channel that posts to a webhook sink. */
export const webhookTo = (url: string): ChannelInput => ({ kind: "webhook", name: "Hook", config: { url } });

/** A channel that sends to a local mail sink. */
export const emailTo = (port: number, { user = "sluice", password = "mail-secret" } = {}): ChannelInput => ({
  ...{ kind: "email", name: "Mail", language: "zh-CN", secret: password },
  config: { ...{ host: "127.0.0.1", port, security: "none", user }, ...{ from: "sluice@example.test", to: ["on-call@example.test"] } },
});

/** A rule that few requests breach and that clears at once. */
export const alertRule = (kind: AlertKind, fields: Partial<RuleInput> = {}): RuleInput => ({
  ...{ kind, name: kind, minimumRequests: 5, resolveAfterSeconds: 0, windowMinutes: 5 },
  ...fields,
});
