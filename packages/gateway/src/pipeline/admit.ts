import type { Refusal } from "@sluice/admission/admission";
import { SluiceError } from "@sluice/core/errors";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

const kinds = {
  rpm: { code: "rate_limited", text: (value: number) => `${value} requests per minute` },
  in_flight: { code: "in_flight_limited", text: (value: number) => `${value} requests in flight` },
} as const;

/** Takes the key's limits, all or none; nothing is awaited for a key without limits. */
export function admit(runtime: Runtime, call: Call): Promise<void> | void {
  const { key } = call;
  if (!key) throw new SluiceError("invalid_key");
  const pending = runtime.admission.admit(call.id, { keyId: key.id, rpm: key.rpm, inFlight: key.inFlight });
  if (pending === null) return;
  // From the moment of asking: a lease taken for a client that left meanwhile must be given back too.
  call.leased = true;
  return pending.then((refusal) => {
    if (!refusal) return;
    call.leased = false;
    throw refused(refusal);
  });
}

function refused(refusal: Refusal): SluiceError {
  const { code, text } = kinds[refusal.limit];
  const retryAfterS = Math.max(1, Math.ceil(refusal.retryAfterS));
  return new SluiceError(code, {
    message: `The limit of ${text(refusal.value)} of this ${refusal.owner} is reached. Try again in ${retryAfterS} s.`,
    detail: `${refusal.limit} of ${refusal.owner} ${refusal.ownerId}`,
    retryAfterS,
  });
}
