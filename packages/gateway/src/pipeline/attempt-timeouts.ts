import { SluiceError } from "@sluice/core/errors";
import type { Settings } from "@sluice/core/inputs/settings";
import type { EgressRequest, EgressResponse } from "@sluice/egress/contract";
import type { ProviderConfig } from "@sluice/snapshot/config";
import { type Call, elapsed } from "../call.ts";
import type { Runtime } from "../context.ts";

type Timeouts = Pick<EgressRequest, "connectTimeoutMs" | "headersTimeoutMs" | "idleTimeoutMs">;

/** The provider's own timeouts, or else those of the settings. The wait for the head is also bounded by the time left for all attempts. */
export function attemptTimeouts(settings: Settings, { timeouts = {} }: ProviderConfig, leftMs: number): Timeouts {
  const headMs = timeouts.firstContentMs ?? settings["upstream.firstContentTimeoutMs"];
  return {
    connectTimeoutMs: timeouts.connectMs ?? settings["upstream.connectTimeoutMs"],
    headersTimeoutMs: Math.min(headMs, timeouts.totalMs ?? headMs, Math.max(1_000, leftMs)),
    idleTimeoutMs: timeouts.idleMs ?? settings["upstream.idleTimeoutMs"],
  };
}

/**
 * Bounds the attempt including its whole answer: one that has not ended by then fails like any other timeout, with failover
 * before the first content and in-band after it. Cancelled when the attempt ends.
 */
export function endAfterTotal(runtime: Runtime, call: Call, { timeouts }: ProviderConfig, response: EgressResponse): void {
  if (timeouts?.totalMs === undefined || !call.attempt) return;
  const leftMs = timeouts.totalMs - (elapsed(runtime, call) - call.attempt.startedMs);
  call.attemptDeadline = runtime.deadlines.add(Math.max(0, leftMs), () => {
    const error = new SluiceError("upstream_timeout", { detail: `no whole answer within ${timeouts.totalMs} ms` });
    response.body.on("error", () => undefined).destroy(error);
  });
}
