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
  /** Whether a secret is stored; it is never shown again. */
  hasSecret: boolean;
}

export type AlertChannelView = ChannelBase &
  ({ kind: "webhook"; config: z.infer<typeof webhookConfig> } | { kind: "email"; config: z.infer<typeof emailConfig> });

/** Delivery state of one transition's message at one channel. */
export interface AlertDeliveryView {
  channelId: string;
  transition: AlertTransition;
  state: "pending" | "delivered" | "failed";
  attempts: number;
  /** Earliest time of the next attempt; null unless pending. */
  nextAtMs: number;
  deliveredAtMs: number | null;
  /** The last answer of the other side. */
  answer: string;
}

export interface AlertIncidentView extends AlertIncident {
  /** Since when the condition has been clear; null while it is still met. */
  clearSinceMs: number | null;
  deliveries: AlertDeliveryView[];
}

/** What a channel answered to a message. */
export interface SendResult {
  ok: boolean;
  /** null for e-mail. */
  status: number | null;
  answer: string;
}
