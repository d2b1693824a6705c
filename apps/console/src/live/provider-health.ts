import type { BreakerState, LiveEvent, ProviderHealth } from "@sluice/core/events";
import { createStore } from "./store.ts";

/** Figures and breakers of all providers: read once with the bootstrap, then moved by events only. */
export interface ProviderHealthBoard {
  get(): ReadonlyMap<string, ProviderHealth>;
  subscribe(listener: () => void): () => void;
  load(health: readonly ProviderHealth[]): void;
  push(events: readonly LiveEvent[]): void;
}

/** What is shown of a provider that has had no traffic. */
export function noHealth(providerId: string): ProviderHealth {
  return { providerId, inFlight: 0, requests: 0, errors: 0, costNanoUsd: "0", breakers: [] };
}

export function createProviderHealth(): ProviderHealthBoard {
  const store = createStore<ReadonlyMap<string, ProviderHealth>>(new Map());
  return {
    get: store.get,
    subscribe: store.subscribe,
    // A list that is read again starts its figures at zero: those that were pushed stay, its breakers are news.
    load(health) {
      const known = store.get();
      store.set(new Map(health.map((one) => [one.providerId, { ...one, ...known.get(one.providerId), breakers: one.breakers }])));
    },
    push(events) {
      let next: Map<string, ProviderHealth> | null = null;
      for (const event of events) {
        if (event.type !== "provider.measured" && !("breaker" in event)) continue;
        next ??= new Map(store.get());
        if (event.type === "provider.measured") next.set(event.health.providerId, event.health);
        else {
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
