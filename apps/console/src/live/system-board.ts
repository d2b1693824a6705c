import type { BreakerState, ConfigFileState, InstanceState, LiveEvent } from "@sluice/core/events";
import { listen } from "./hub.ts";
import { createStore } from "./store.ts";

/** The installation's processes and the breakers that are not closed, as far as this tab knows. */
interface SystemState {
  instances: ReadonlyMap<string, InstanceState>;
  /** `provider model` → open or half open. */
  breakers: ReadonlyMap<string, BreakerState>;
  /** Of instances with a configuration file. These reach every page, while the figures of instances are sent only on request. */
  configs: ReadonlyMap<string, ConfigFileState>;
}

export interface SystemBoard {
  get(): SystemState;
  subscribe(listener: () => void): () => void;
  /** Loads what was read; newer states of an instance stay. */
  load(read: { instances: readonly InstanceState[]; breakers: readonly BreakerState[] }): void;
  push(events: readonly LiveEvent[]): void;
}

export function createSystemBoard(): SystemBoard {
  const store = createStore<SystemState>({ instances: new Map(), breakers: new Map(), configs: new Map() });
  return {
    get: store.get,
    subscribe: store.subscribe,
    load({ instances, breakers }) {
      const known = store.get().instances;
      const merged = instances.map((one) => newerOf(known.get(one.id), one));
      store.set({
        instances: new Map(merged.map((one) => [one.id, one])),
        configs: new Map(merged.flatMap(({ id, config }) => (config ? [[id, config]] : []))),
        breakers: new Map(breakers.map((one) => [keyOf(one), one])),
      });
    },
    push(events) {
      const { instances, breakers, configs } = store.get();
      const next = { instances: new Map(instances), breakers: new Map(breakers), configs: new Map(configs) };
      let moved = false;
      for (const event of events) moved = apply(next, event) || moved;
      if (moved) store.set(next);
    },
  };
}

export const systemBoard = createSystemBoard();
listen({ events: systemBoard.push });

interface Draft {
  instances: Map<string, InstanceState>;
  breakers: Map<string, BreakerState>;
  configs: Map<string, ConfigFileState>;
}

function apply(next: Draft, event: LiveEvent): boolean {
  switch (event.type) {
    case "system.measured": {
      const { instance } = event;
      if (instance.stopped) {
        next.configs.delete(instance.id);
        return next.instances.delete(instance.id);
      }
      next.instances.set(instance.id, newerOf(next.instances.get(instance.id), instance));
      if (instance.config) next.configs.set(instance.id, instance.config);
      return true;
    }
    case "config.applied":
    case "config.failed": {
      const instance = next.instances.get(event.instanceId);
      next.configs.set(event.instanceId, event.config);
      if (instance) next.instances.set(event.instanceId, { ...instance, config: event.config });
      return true;
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
