import { createHmac } from "node:crypto";
import type { Egress } from "@sluice/egress/contract";
import type { SendResult } from "./alert-view.ts";

const CONNECT_MS = 5_000;
const ANSWER_MS = 10_000;
const EXCERPT = 200;

export interface WebhookCall {
  url: string;
  /** `whsec_…`. */
  secret: string;
  /** The same for every attempt at one message, so that receivers can detect duplicates. */
  id: string;
  payload: object;
  /** Time of this attempt, in ms since the epoch. */
  nowMs: number;
  version: string;
  signal?: AbortSignal;
}

/**
 * POSTs one message, signed according to Standard Webhooks (https://www.standardwebhooks.com): `webhook-signature` is `v1,` and the
 * base64 of HMAC-SHA256 over `id.timestamp.body` with the bytes of the secret. Only 2xx is success.
 * @throws SluiceError of the egress.
 */
export async function sendWebhook(egress: Egress, call: WebhookCall): Promise<SendResult> {
  const body = JSON.stringify(call.payload);
  const timestamp = Math.floor(call.nowMs / 1_000);
  const response = await egress.request({
    url: call.url,
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": `sluice/${call.version}`,
      "webhook-id": call.id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signWebhook(call.secret, { id: call.id, timestamp, body }),
    },
    body,
    ...(call.signal && { signal: call.signal }),
    connectTimeoutMs: CONNECT_MS,
    headersTimeoutMs: ANSWER_MS,
    idleTimeoutMs: ANSWER_MS,
  });
  const { status } = response;
  const { parts, whole } = await response.collect(4_096);
  if (!whole) response.body.destroy();
  const answer = Buffer.concat(parts).toString("utf8").replaceAll(/\s+/g, " ").trim().slice(0, EXCERPT);
  return { ok: status >= 200 && status < 300, status, answer };
}

/** The value of `webhook-signature`; `timestamp` in seconds. */
export function signWebhook(secret: string, { id, timestamp, body }: { id: string; timestamp: number; body: string }): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}
