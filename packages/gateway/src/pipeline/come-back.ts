import { upstreamModelOf } from "@sluice/core/routing/model-patterns";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

/** When nothing says better. */
const usualS = 5;

/** Seconds until the first of the providers that a breaker keeps out may be tried again: what a refused client is told. */
export function comeBackInS(runtime: Runtime, call: Call): number {
  const out = new Set(call.detail.decision.excluded.filter(({ reason }) => reason === "breaker_open").map(({ providerId }) => providerId));
  if (out.size === 0) return usualS;
  const waits = call.config.providers
    .filter(({ id }) => out.has(id))
    .map((provider) => runtime.admission.breakers.dueInMs(provider.id, upstreamModelOf(provider, call.row.model)))
    .filter((ms) => ms > 0);
  return waits.length === 0 ? usualS : Math.max(1, Math.ceil(Math.min(...waits) / 1_000));
}
