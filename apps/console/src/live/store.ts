import { useSyncExternalStore } from "react";

/** A value outside React that many components watch. Setting the same value notifies nobody. */
export interface Store<T> {
  get(): T;
  set(next: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A primitive value derived from the store; re-renders only when it changes. */
export function useStored<T, V extends string | number | boolean | undefined>(
  store: Pick<Store<T>, "get" | "subscribe">,
  select: (value: T) => V,
): V {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}

/** The store's value; re-renders when it changes. */
export function useStore<T>(store: Pick<Store<T>, "get" | "subscribe">): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}
