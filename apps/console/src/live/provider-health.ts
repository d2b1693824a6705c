import type { BreakerState, LiveEvent, ProviderHealth } from "@sluice/core/events";
import { createStore } from "./store.ts";

/** Figures and breakers of all providers: read once with the bootstrap, then updated only by events. */
export interface ProviderHealthBoard {
  get(): ReadonlyMap<string, ProviderHealth>;
  subscribe(listener: () => void): () => void;
  load(health: readonly ProviderHealth[]): void;
  push(events: readonly LiveEvent[]): void;
}

/** The health of a provider without traffic. */
export function noHealth(providerId: string): ProviderHealth {
  return { providerId, inFlight: 0, requests: 0, errors: 0, costNanoUsd: "0", breakers: [] };
}

export function createProviderHealth(): ProviderHealthBoard {
  const store = createStore<ReadonlyMap<string, ProviderHealth>>(new Map());
  return {
    get: store.get,
    subscribe: store.subscribe,
    // A list that is read again has no figures: the pushed ones stay, while its breakers and cool-downs are current.
    load(health) {
      const known = store.get();
      const loaded = health.map((one): [string, ProviderHealth] => {
        const { coolDowns: _coolDowns, ...pushed } = known.get(one.providerId) ?? one;
        return [one.providerId, { ...one, ...pushed, breakers: one.breakers }];
      });
      store.set(new Map(loaded));
    },
    push(events) {
      let next: Map<string, ProviderHealth> | null = null;
      for (const event of events) {
        if (event.type !== "provider.measured" && event.type !== "credential.cooled" && !("breaker" in event)) continue;
        next ??= new Map(store.get());
        if (event.type === "provider.measured") {
          const { coolDowns } = next.get(event.health.providerId) ?? event.health;
          next.set(event.health.providerId, { ...event.health, ...(coolDowns && { coolDowns }) });
        } else if (event.type === "credential.cooled") {
          const known = next.get(event.coolDown.providerId) ?? noHealth(event.coolDown.providerId);
          const others = (known.coolDowns ?? []).filter(({ label }) => label !== event.coolDown.label);
          next.set(known.providerId, { ...known, coolDowns: [...others, event.coolDown] });
        } else {
          const known = next.get(event.breaker.providerId) ?? noHealth(event.breaker.providerId);
          next.set(known.providerId, { ...known, breakers: withBreaker(known.breakers, event.breaker) });
        }
      }
      if (next) store.set(next);
    },
  };
}

function withBreaker(breakers: readonly BreakerState[], breaker: BreakerState): BreakerState[] {
  return [...breakers.filter(({ model }) => model !== breaker.model), breaker];
}
