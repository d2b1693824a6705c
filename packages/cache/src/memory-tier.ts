import type { CacheKind } from "@sluice/core/cache-kinds";
import { LRUCache } from "lru-cache";
import type { CacheEntry, CacheTag } from "./cache.ts";

/** An answer in this process's memory. */
export interface Kept {
  value: unknown;
  asOf: number;
  entry: CacheEntry;
  bytes: number;
}

export interface MemoryLimits {
  entries: number;
  /** Limits of the total and of a single answer, in bytes of text, which approximates their memory. */
  bytes: number;
  entryBytes: number;
}

/** The cache in process memory: bounded, without a timer per entry. */
export interface MemoryTier {
  get(id: string): Kept | undefined;
  set(kept: Kept, ttlMs: number): void;
  /** Removes entries with one of these tags, or all. */
  drop(tags: readonly CacheTag[] | "all"): void;
  /** Removes expired entries. */
  purge(): void;
  sizes(): ReadonlyMap<CacheKind, { entries: number; bytes: number }>;
}

/** `monotonic` returns ms. */
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
