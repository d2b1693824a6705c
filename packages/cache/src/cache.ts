/**
 * Caches answers that are expensive to compute, in process (lru-cache) and, shared by all instances, in Redis. It promises never to be
 * wrong: an answer computed before an invalidation is neither stored nor returned after it, viewers share an answer only if it is the
 * same for both, and failures are not cached. A hundred readers of one answer, over all instances, cost one computation. While Redis is
 * away, answers cost more and are still right. It is a package because services, REST and jobs all read through it, and so that readers
 * need not know about keys, generations and outages: `cached` is the only entrance.
 */
import type { CacheFigures, CacheKind } from "@sluice/core/cache-kinds";

/** What an answer depends on; code that changes it invalidates the tag. `namespace:` covers a whole kind. */
export type CacheTag = `${"user" | "key" | "provider" | "task"}:${string}` | `namespace:${CacheKind}`;

/** Whose answer it is. Part of its key, so that it is never returned to another tenant, role or user. */
export interface CacheScope {
  tenantId: string;
  /** `key`: the holder of a client key. */
  role: "admin" | "user" | "key";
  /** null: all users. */
  userId: string | null;
  /** null unless the role is `key`. */
  keyId: string | null;
}

/** An answer, when it was computed (ms since the epoch), and whether it was cached. `bypass`: Redis is away. */
export interface Cached<T> {
  value: T;
  asOf: number;
  cache: "hit" | "miss" | "bypass";
}

/** One thing to cache; created by `cached`. */
export interface CacheEntry {
  kind: CacheKind;
  /** `<kind>:<hash>`, the same for the same question on every instance. */
  id: string;
  /** Includes the tags of its kind, user and key. */
  tags: readonly CacheTag[];
}

export interface Cache {
  /** Program version, part of every key: the form of answers may differ between versions. */
  readonly version: string;
  /** For `cached` only. Answers are frozen, because all readers share them. */
  read(entry: CacheEntry, compute: () => Promise<unknown>): Promise<Cached<unknown>>;
  /**
   * After this, no answer with one of these tags is returned: here immediately, on other instances within a moment, and within a minute
   * where no message arrives. Call it after the commit. Never throws: if Redis cannot be reached, the invalidation is made up for before
   * Redis is read again.
   */
  invalidate(...tags: CacheTag[]): Promise<void>;
  /** As {@link invalidate}, for everything. */
  invalidateAll(): Promise<void>;
  /** Invalidates a kind and frees its memory in Redis. Returns the number of entries. */
  clear(kind: CacheKind): Promise<number>;
  /**
   * Whether this instance shall do something that one of all instances does every `everyMs`: true for the first to ask. Without Redis, or
   * while it is away, every instance does it. Never throws.
   */
  takeTurn(name: string, everyMs: number): Promise<boolean>;
  /** Resets the counters of every instance to zero. */
  resetFigures(): Promise<void>;
  figures(): Record<CacheKind, CacheFigures>;
  /** How often another instance held the lock of an answer to compute, since the start. */
  lockConflicts(): number;
  close(): void;
}
