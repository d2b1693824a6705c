import type { AlertMessage } from "@sluice/core/alerts/alert-text";
import { toSluiceError } from "@sluice/core/errors";
import type { Services } from "../context.ts";
import type { AlertChannelView, SendResult } from "./alert-view.ts";
import { sendMail } from "./send-mail.ts";
import { sendWebhook } from "./send-webhook.ts";

/** Upper bound of one attempt, however the other side behaves. */
const TRY_MS = 15_000;

export interface OutgoingMessage {
  channel: AlertChannelView;
  /** The channel's secret as stored (encrypted). */
  sealed: string;
  /** The same for every attempt. */
  id: string;
  message: AlertMessage;
  /** The JSON body for a webhook. */
  payload: object;
  signal?: AbortSignal;
}

/** Sends one message to a channel. Never throws: a failed connection is a result as well. */
export async function sendMessage(
  services: Pick<Services, "egress" | "channelSecrets" | "clock" | "version" | "log">,
  { channel, sealed, id, message, payload, signal }: OutgoingMessage,
): Promise<SendResult> {
  const deadline = AbortSignal.timeout(TRY_MS);
  const ends = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    const secret = sealed === "" ? "" : services.channelSecrets.decrypt(sealed, channel.id);
    const { version } = services;
    if (channel.kind === "email")
      return await sendMail(services.egress, { config: channel.config, password: secret, id, message, signal: ends });
    const call = { url: channel.config.url, secret, id, payload, nowMs: services.clock.now(), version, signal: ends };
    return await sendWebhook(services.egress, call);
  } catch (thrown) {
    if (deadline.aborted) return { ok: false, status: null, answer: `No response within ${TRY_MS / 1_000} s.` };
    const error = toSluiceError(thrown);
    services.log.info({ channelId: channel.id, code: error.code, detail: error.detail }, "an alert channel gave no answer");
    // As for providers, a closed port and a blocked address must look the same.
    const answer = error.code === "upstream_timeout" ? "No response in time." : "The address cannot be reached.";
    return { ok: false, status: null, answer };
  }
}
