import type { LimitValues } from "@sluice/core/limits/limit-values";
import type { AdmitAsk } from "../src/admission.ts";

/** A request by one key with limits. */
export function keyAsk(
  requestId: string,
  { keyId, ...values }: LimitValues & { keyId: string },
  { startedAtMs = Date.now(), tokens = 0, costNanoUsd = 0 }: Partial<AdmitAsk> = {},
): AdmitAsk {
  return { requestId, startedAtMs, tokens, costNanoUsd, owners: [{ owner: "key", id: keyId, values }] };
}
