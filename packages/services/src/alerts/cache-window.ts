import type { AlertReading } from "@sluice/core/alerts/judge-reading";
import type { InstanceState } from "@sluice/core/events";

/** Over which hits are compared with misses. */
export const CACHE_WINDOW_MS = 900_000;
/** Between two samples of an instance; so many are kept as the window holds. */
const SAMPLE_MS = 30_000;

interface Sample {
  atMs: number;
  hits: number;
  misses: number;
}

/**
 * How often the caches of all instances had an answer, in the last quarter of an hour. Instances count since their start: what lies
 * in the window is the difference to a sample from before it. Who has just begun to look knows no such
 * sample; until then no traffic is not taken for silence.
 */
export class CacheWindow {
  #samples = new Map<string, Sample[]>();

  /** Notes what instances say of themselves now, and gives what it makes of it. */
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
