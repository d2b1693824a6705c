import type { CacheFigures, CacheKind } from "@sluice/core/cache-kinds";
import { Counter, Gauge, type Registry } from "prom-client";

type Figures = Record<CacheKind, CacheFigures>;

const counted = {
  hits: ["sluice_cache_hits_total", "Reads that found an answer, in this process or in Redis."],
  misses: ["sluice_cache_misses_total", "Reads that computed, or waited for one here that did."],
  bypasses: ["sluice_cache_bypasses_total", "Reads answered by this process alone because Redis was away."],
  errors: ["sluice_cache_errors_total", "Commands of the cache to Redis that failed."],
  writesFailed: ["sluice_cache_writes_failed_total", "Answers that could not be kept in Redis."],
} as const satisfies Partial<Record<keyof CacheFigures, readonly [name: string, help: string]>>;

/** Counters by kind of answer. An administrator may reset them, which Prometheus treats like a restart. */
export function addCacheMetrics(registry: Registry, figures: () => Figures): void {
  const labelNames = ["namespace"];
  for (const [of, [name, help]] of Object.entries(counted)) {
    new Counter({
      ...{ name, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        for (const [namespace, each] of Object.entries(figures())) this.inc({ namespace }, each[of as keyof typeof counted]);
      },
    });
  }
  const gauge = (name: string, help: string, read: (figures: CacheFigures) => number | null): void => {
    new Gauge({
      ...{ name, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        for (const [namespace, each] of Object.entries(figures())) {
          const value = read(each);
          if (value !== null) this.set({ namespace }, value);
        }
      },
    });
  };
  gauge("sluice_cache_entries", "Answers kept in this process.", ({ entries }) => entries);
  gauge("sluice_cache_bytes", "What they take, as text.", ({ bytes }) => bytes);
  gauge("cache_hit_rate", "Share of the reads that found an answer; absent before the first.", ({ hits, misses, bypasses }) =>
    hits + misses + bypasses === 0 ? null : hits / (hits + misses + bypasses),
  );
}
