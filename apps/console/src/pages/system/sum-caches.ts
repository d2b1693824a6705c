import type { CacheFigures, CacheKind } from "@sluice/core/cache-kinds";
import type { InstanceState } from "@sluice/core/events";

/** Sums over all processes. */
export function sumCaches(instances: readonly InstanceState[]): Partial<Record<CacheKind, CacheFigures>> {
  const sums: Partial<Record<CacheKind, CacheFigures>> = {};
  for (const { caches = {} } of instances) {
    for (const [kind, figures] of Object.entries(caches) as [CacheKind, CacheFigures][]) {
      const sum = sums[kind];
      sums[kind] = sum ? add(sum, figures) : figures;
    }
  }
  return sums;
}

function add(a: CacheFigures, b: CacheFigures): CacheFigures {
  return {
    hits: a.hits + b.hits,
    misses: a.misses + b.misses,
    bypasses: a.bypasses + b.bypasses,
    errors: a.errors + b.errors,
    writesFailed: a.writesFailed + b.writesFailed,
    entries: a.entries + b.entries,
    bytes: a.bytes + b.bytes,
  };
}
