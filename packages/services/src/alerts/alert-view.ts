import type { AlertIncident, AlertTransition } from "@sluice/core/alerts/alert-view";
import type { AlertRuleFields, alertLanguages, emailConfig, webhookConfig } from "@sluice/core/inputs/alert";
import type { z } from "zod";

export interface AlertRuleView extends AlertRuleFields {
  id: string;
}

interface ChannelBase {
  id: string;
  name: string;
  language: (typeof alertLanguages)[number];
  enabled: boolean;
  /** Whether one is stored: it is never shown again. */
  hasSecret: boolean;
}

export type AlertChannelView = ChannelBase &
  ({ kind: "webhook"; config: z.infer<typeof webhookConfig> } | { kind: "email"; config: z.infer<typeof emailConfig> });

/** How far the message of one change has come at one channel. */
export interface AlertDeliveryView {
  channelId: string;
  transition: AlertTransition;
  state: "pending" | "delivered" | "failed";
  attempts: number;
  /** Of a pending one: not before. */
  nextAtMs: number;
  deliveredAtMs: number | null;
  /** What the other side said last. */
  answer: string;
}

export interface AlertIncidentView extends AlertIncident {
  /** null while it is bad; since when it has been well. */
  clearSinceMs: number | null;
  deliveries: AlertDeliveryView[];
}

/** What a channel answered to a message. */
export interface SendResult {
  ok: boolean;
  /** Of a webhook. */
  status: number | null;
  answer: string;
}
