/**
 * cache keeps answers that are dear to compute: in this process (lru-cache) and, for all instances, in Redis. It promises that it is
 * never wrong: what was computed before an invalidation is neither kept nor given out after it, two viewers never share an answer
 * that is not the same for both, and failures are not kept. A hundred readers of one answer, over all instances, cost one
 * computation. While Redis is away it costs more and is right all the same. It is apart because services, REST and jobs read through it,
 * and because whoever reads may know nothing of keys, generations and outages: `cached` is the only way in.
 */
import type { CacheFigures, CacheKind } from "@sluice/core/cache-kinds";

/** What an answer depends on; whoever changes that names it. `namespace:` takes everything of one kind. */
export type CacheTag = `${"user" | "key" | "provider" | "task"}:${string}` | `namespace:${CacheKind}`;

/** Whose answer it is: part of its key, so that no other tenant, role or user is ever given it. */
export interface CacheScope {
  tenantId: string;
  /** `key`: somebody who holds a client's key. */
  role: "admin" | "user" | "key";
  /** null: of everybody. */
  userId: string | null;
  /** null unless the role is `key`. */
  keyId: string | null;
}

/** An answer, when it was computed (ms since the epoch), and whether it was kept. `bypass`: Redis is away. */
export interface Cached<T> {
  value: T;
  asOf: number;
  cache: "hit" | "miss" | "bypass";
}

/** One thing to be kept; made by `cached`. */
export interface CacheEntry {
  kind: CacheKind;
  /** `<kind>:<hash>`, the same for the same question on every instance. */
  id: string;
  /** With those that everything of its kind, of its user and of its key has. */
  tags: readonly CacheTag[];
}

export interface Cache {
  /** Of the program: part of every key, because two versions may give answers of different forms. */
  readonly version: string;
  /** For `cached` only. Answers are frozen: they belong to all readers. */
  read(entry: CacheEntry, compute: () => Promise<unknown>): Promise<Cached<unknown>>;
  /**
   * Of what is tagged so nothing is given out any more: here from now on, elsewhere within a moment, and by an instance that no message
   * reaches within a minute. After the commit. Never throws: what Redis cannot be told is made good when it is back, before it is asked
   * for anything.
   */
  invalidate(...tags: CacheTag[]): Promise<void>;
  /** As {@link invalidate}, for everything. */
  invalidateAll(): Promise<void>;
  /** Invalidates a kind and frees what it took in Redis. Gives how many entries that were. */
  clear(kind: CacheKind): Promise<number>;
  /**
   * Whether this instance is the one of all that does something that is done once in `everyMs`: true for the first that asks. While Redis is
   * away, and without one, each does it for itself. Never throws.
   */
  takeTurn(name: string, everyMs: number): Promise<boolean>;
  /** Sets the counters of every instance to zero. */
  resetFigures(): Promise<void>;
  figures(): Record<CacheKind, CacheFigures>;
  /** How often another instance had the lock of what was to be computed, since the start. */
  lockConflicts(): number;
  close(): void;
}
