import type { LiveEvent } from "@sluice/core/events";
import type { Figures, ProcessFigures, StoreFigures } from "@sluice/core/figures";
import { createStore } from "./store.ts";

/** The last two reports: their difference turns counts into rates. */
export interface Told<T> {
  now: T;
  before: T | null;
}

interface FiguresState {
  processes: ReadonlyMap<string, Told<ProcessFigures>>;
  stores: Told<StoreFigures> | null;
}

export interface FiguresBoard {
  get(): FiguresState;
  subscribe(listener: () => void): () => void;
  load(figures: Figures): void;
  push(events: readonly LiveEvent[]): void;
}

/** A process that has not reported for this long is removed. */
const GONE_AFTER_MS = 60_000;

export function createFiguresBoard(): FiguresBoard {
  const store = createStore<FiguresState>({ processes: new Map(), stores: null });

  function take(process: ProcessFigures | null, stores: StoreFigures | null): void {
    const state = store.get();
    const processes = new Map(state.processes);
    if (process) {
      processes.set(process.instanceId, next(processes.get(process.instanceId) ?? null, process));
      for (const [id, { now }] of processes) if (process.atMs - now.atMs > GONE_AFTER_MS) processes.delete(id);
    }
    store.set({ processes, stores: stores ? next(state.stores, stores) : state.stores });
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    load: ({ process, stores }) => take(process, stores),
    push(events) {
      for (const event of events) {
        if (event.type === "figures.measured") take(event.process, null);
        else if (event.type === "stores.measured") take(null, event.stores);
      }
    },
  };
}

/** Ignores a report that arrives out of order. */
function next<T extends { atMs: number }>(known: Told<T> | null, told: T): Told<T> {
  if (known && told.atMs <= known.now.atMs) return known;
  return { now: told, before: known?.now ?? null };
}

/** Increase of a count per second; null before the second report, and after a restart of the reporter. */
export function perSecond<T extends { atMs: number }>({ now, before }: Told<T>, count: (of: T) => number | null): number | null {
  if (!before) return null;
  const [later, earlier] = [count(now), count(before)];
  if (later === null || earlier === null || later < earlier) return null;
  return ((later - earlier) * 1_000) / (now.atMs - before.atMs);
}
