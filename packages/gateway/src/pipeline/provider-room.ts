import type { Used } from "@sluice/admission/admission";
import { appliedLimits } from "@sluice/core/limits/limit-values";
import type { ProviderConfig } from "@sluice/snapshot/config";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";
import { largestUpstreamCost } from "../largest-use.ts";

export const nothingUsed: Used = { costNanoUsd: 0, tokens: 0 };

/**
 * Removes candidates from the list up to and including the next one with room in its own limits, and returns that one. An unlimited
 * candidate in front needs no query; otherwise one query decides among all up to the first unlimited one. null = none has room.
 */
export function nextWithRoom(
  runtime: Runtime,
  call: Call,
  candidates: ProviderConfig[],
): Promise<ProviderConfig | null> | ProviderConfig | null {
  const unlimited = candidates.findIndex((provider) => appliedLimits(provider) === null);
  if (unlimited === 0 || candidates.length === 0) return candidates.shift() ?? null;
  return firstWithRoom(runtime, call, candidates, unlimited);
}

async function firstWithRoom(
  runtime: Runtime,
  call: Call,
  candidates: ProviderConfig[],
  unlimited: number,
): Promise<ProviderConfig | null> {
  const asked = candidates.splice(0, unlimited < 0 ? candidates.length : unlimited + 1);
  const { taken, refusal } = await runtime.admission.admitProvider({
    requestId: call.id,
    startedAtMs: call.row.startedAtMs,
    tokens: call.envelope?.inputEstimate ?? 0,
    candidates: asked.map((provider) => ({
      ...{ owner: "provider" as const, id: provider.id, values: provider },
      costNanoUsd: appliedLimits(provider)?.costs ? largestUpstreamCost(call, provider) : 0,
    })),
  });
  const passed = asked.slice(0, taken ?? asked.length);
  for (const { id } of passed) call.detail.decision.excluded.push({ providerId: id, reason: "limited" });
  if (refusal) runtime.log.debug({ requestId: call.id, refusal }, "every provider that is left is at its limit");
  if (taken === null) return null;
  // The candidates after it stay for another try.
  candidates.unshift(...asked.slice(taken + 1));
  const provider = asked[taken] ?? null;
  if (provider && appliedLimits(provider)) call.heldProviderId = provider.id;
  return provider;
}

/** Releases what the current provider's limits hold for the call. Idempotent. */
export function endProviderHold(runtime: Runtime, call: Call, used: Used): void {
  if (call.heldProviderId === "") return;
  runtime.admission.settleProvider(call.id, call.heldProviderId, used);
  call.heldProviderId = "";
}
