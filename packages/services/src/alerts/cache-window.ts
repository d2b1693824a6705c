import type { AlertReading } from "@sluice/core/alerts/judge-reading";
import type { InstanceState } from "@sluice/core/events";

/** The window over which hits and misses are compared. */
export const CACHE_WINDOW_MS = 900_000;
/** Interval between two samples of one instance. */
const SAMPLE_MS = 30_000;

interface Sample {
  atMs: number;
  hits: number;
  misses: number;
}

/**
 * Hit ratio of the caches of all instances over the last quarter of an hour. Instances count since their start, so the window is the
 * difference to a sample from before it. An evaluator that has just started has no such sample; until then, zero lookups do not count as
 * silence.
 */
export class CacheWindow {
  #samples = new Map<string, Sample[]>();

  /** Records the current counters of the instances and returns the reading they add up to. */
  read(instances: readonly InstanceState[], nowMs: number): AlertReading {
    const fromMs = nowMs - CACHE_WINDOW_MS;
    const kept = new Map<string, Sample[]>();
    let [hits, misses, isCovered] = [0, 0, true];
    for (const instance of instances) {
      const now = countsOf(instance, nowMs);
      const samples = (this.#samples.get(instance.id) ?? []).filter(({ hits, misses }) => hits <= now.hits && misses <= now.misses);
      const before = samples.findLast(({ atMs }) => atMs <= fromMs) ?? (instance.startedAtMs > fromMs ? none : samples[0]);
      const base = before ?? now;
      hits += now.hits - base.hits;
      misses += now.misses - base.misses;
      isCovered &&= before !== undefined && before.atMs <= fromMs;
      kept.set(
        instance.id,
        nowMs - (samples.at(-1)?.atMs ?? 0) < SAMPLE_MS ? samples : [...samples.filter((one) => one.atMs >= base.atMs), now],
      );
    }
    this.#samples = kept;
    const lookups = hits + misses;
    return { value: lookups === 0 ? null : (100 * hits) / lookups, requests: isCovered ? lookups : Math.max(1, lookups) };
  }
}

const none: Sample = { atMs: 0, hits: 0, misses: 0 };

function countsOf({ caches = {} }: InstanceState, atMs: number): Sample {
  const figures = Object.values(caches);
  const sum = (of: "hits" | "misses"): number => figures.reduce((total, figure) => total + (figure?.[of] ?? 0), 0);
  return { atMs, hits: sum("hits"), misses: sum("misses") };
}
