import { upstreamModelOf } from "@sluice/core/routing/model-patterns";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

/** Default when no better estimate is available. */
const usualS = 5;

/** Retry-After of a refused client: seconds until the first provider excluded by its breaker or schedule may be tried again. */
export function comeBackInS(runtime: Runtime, call: Call): number {
  const { excluded } = call.detail.decision;
  const opening = excluded.flatMap(({ opensAtMs }) => (opensAtMs === undefined ? [] : [opensAtMs - runtime.clock.now()]));
  const out = new Set(excluded.filter(({ reason }) => reason === "breaker_open").map(({ providerId }) => providerId));
  if (out.size === 0 && opening.length === 0) return usualS;
  const due = call.config.providers
    .filter(({ id }) => out.has(id))
    .map((provider) => runtime.admission.breakers.dueInMs(provider.id, upstreamModelOf(provider, call.routedModel)));
  const waits = [...opening, ...due].filter((ms) => ms > 0);
  return waits.length === 0 ? usualS : Math.max(1, Math.ceil(Math.min(...waits) / 1_000));
}
