import type { DurationFigure } from "@sluice/core/figures";
import { countMs, type LatencyCounts, mergeCounts, quantileMs, writeSketch } from "@sluice/core/latency-sketch";

const GENERATION_MS = 300_000;
/** Further names are not measured. */
const MOST_NAMES = 500;

interface Held {
  count: number;
  errors: number;
  counts: LatencyCounts;
}

/** Durations by name: all of the last five minutes, and up to five minutes before. A name without calls for ten minutes is dropped. */
export class RecentDurations {
  #current = new Map<string, Held>();
  #before = new Map<string, Held>();
  #sinceMs = performance.now();

  add(name: string, ms: number, failed = false): void {
    this.#turn();
    let held = this.#current.get(name);
    if (!held) {
      if (this.#current.size >= MOST_NAMES) return;
      held = { count: 0, errors: 0, counts: [] };
      this.#current.set(name, held);
    }
    held.count += 1;
    if (failed) held.errors += 1;
    countMs(held.counts, ms);
  }

  /** Most frequent first. */
  list(most: number): DurationFigure[] {
    this.#turn();
    const names = new Set([...this.#current.keys(), ...this.#before.keys()]);
    const figures = [...names].map((name) => figureOf(name, this.#current.get(name), this.#before.get(name)));
    return figures.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, most);
  }

  /** The names that match, combined. */
  sum(isOne: (name: string) => boolean): { count: number; sketch: string } {
    this.#turn();
    let [count, counts]: [number, LatencyCounts] = [0, []];
    for (const [name, held] of [...this.#current, ...this.#before]) {
      if (!isOne(name)) continue;
      count += held.count;
      counts = mergeCounts(counts, held.counts);
    }
    return { count, sketch: writeSketch(counts) };
  }

  #turn(): void {
    const age = performance.now() - this.#sinceMs;
    if (age < GENERATION_MS) return;
    this.#before = age < 2 * GENERATION_MS ? this.#current : new Map();
    this.#current = new Map();
    this.#sinceMs = performance.now();
  }
}

function figureOf(name: string, a: Held | undefined, b: Held | undefined): DurationFigure {
  const counts = mergeCounts(a?.counts ?? [], b?.counts ?? []);
  return {
    name,
    count: (a?.count ?? 0) + (b?.count ?? 0),
    errors: (a?.errors ?? 0) + (b?.errors ?? 0),
    p50Ms: quantileMs(counts, 0.5),
    p95Ms: quantileMs(counts, 0.95),
    p99Ms: quantileMs(counts, 0.99),
  };
}
