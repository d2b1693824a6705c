import type { BreakerState, InstanceState, LiveEvent } from "@sluice/core/events";
import { listen } from "./hub.ts";
import { createStore } from "./store.ts";

/** The processes of the installation and the breakers that are not closed, as far as this tab has heard. */
export interface SystemState {
  instances: ReadonlyMap<string, InstanceState>;
  /** `provider model` → open or half open. */
  breakers: ReadonlyMap<string, BreakerState>;
}

export interface SystemBoard {
  get(): SystemState;
  subscribe(listener: () => void): () => void;
  /** Takes in what was read; newer news of an instance stays. */
  load(read: { instances: readonly InstanceState[]; breakers: readonly BreakerState[] }): void;
  push(events: readonly LiveEvent[]): void;
}

export function createSystemBoard(): SystemBoard {
  const store = createStore<SystemState>({ instances: new Map(), breakers: new Map() });
  return {
    get: store.get,
    subscribe: store.subscribe,
    load({ instances, breakers }) {
      const known = store.get().instances;
      store.set({
        instances: new Map(instances.map((one) => [one.id, newerOf(known.get(one.id), one)])),
        breakers: new Map(breakers.map((one) => [keyOf(one), one])),
      });
    },
    push(events) {
      const next = { instances: new Map(store.get().instances), breakers: new Map(store.get().breakers) };
      let moved = false;
      for (const event of events) moved = apply(next, event) || moved;
      if (moved) store.set(next);
    },
  };
}

/** The board of this document. */
export const systemBoard = createSystemBoard();
listen({ events: systemBoard.push });

function apply(next: { instances: Map<string, InstanceState>; breakers: Map<string, BreakerState> }, event: LiveEvent): boolean {
  switch (event.type) {
    case "system.measured": {
      const { instance } = event;
      if (instance.stopped) return next.instances.delete(instance.id);
      next.instances.set(instance.id, newerOf(next.instances.get(instance.id), instance));
      return true;
    }
    case "config.applied":
    case "config.failed": {
      const instance = next.instances.get(event.instanceId);
      if (instance) next.instances.set(event.instanceId, { ...instance, config: event.config });
      return instance !== undefined;
    }
    case "provider.opened":
    case "provider.half-opened":
      next.breakers.set(keyOf(event.breaker), event.breaker);
      return true;
    case "provider.closed":
      return next.breakers.delete(keyOf(event.breaker));
    default:
      return false;
  }
}

function newerOf(known: InstanceState | undefined, one: InstanceState): InstanceState {
  return known && known.startedAtMs >= one.startedAtMs && known.seenAtMs > one.seenAtMs ? known : one;
}

function keyOf({ providerId, model }: BreakerState): string {
  return `${providerId} ${model}`;
}
