import type { CacheKind } from "@sluice/core/cache-kinds";
import { LRUCache } from "lru-cache";
import type { CacheEntry, CacheTag } from "./cache.ts";

/** An answer as this process keeps it. */
export interface Kept {
  value: unknown;
  asOf: number;
  entry: CacheEntry;
  bytes: number;
}

export interface MemoryLimits {
  entries: number;
  /** Of all together, and the most of one: as text, which is about what they take. */
  bytes: number;
  entryBytes: number;
}

/** What this process keeps: bounded, without a timer for each. */
export interface MemoryTier {
  get(id: string): Kept | undefined;
  set(kept: Kept, ttlMs: number): void;
  /** Takes what has one of these tags, or everything. */
  drop(tags: readonly CacheTag[] | "all"): void;
  /** Takes what has run out. */
  purge(): void;
  sizes(): ReadonlyMap<CacheKind, { entries: number; bytes: number }>;
}

/** `monotonic` in ms. */
export function createMemoryTier(limits: MemoryLimits, monotonic: () => number): MemoryTier {
  const sizes = new Map<CacheKind, { entries: number; bytes: number }>();
  const count = ({ entry, bytes }: Kept, by: 1 | -1): void => {
    const size = sizes.get(entry.kind) ?? { entries: 0, bytes: 0 };
    sizes.set(entry.kind, { entries: size.entries + by, bytes: size.bytes + by * bytes });
  };
  const entries = new LRUCache<string, Kept>({
    max: limits.entries,
    maxSize: limits.bytes,
    maxEntrySize: limits.entryBytes,
    sizeCalculation: ({ bytes }) => Math.max(1, bytes),
    onInsert: (kept) => count(kept, 1),
    dispose: (kept) => count(kept, -1),
    perf: { now: monotonic },
    ttlResolution: 0,
  });
  return {
    get: (id) => entries.get(id),
    set: (kept, ttlMs) => void entries.set(kept.entry.id, kept, { ttl: ttlMs }),
    drop(tags) {
      if (tags === "all") return entries.clear();
      const wanted = new Set(tags);
      for (const [id, { entry }] of [...entries.entries()]) if (entry.tags.some((tag) => wanted.has(tag))) entries.delete(id);
    },
    purge: () => void entries.purgeStale(),
    sizes: () => sizes,
  };
}
