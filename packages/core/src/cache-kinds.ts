/**
 * Kinds of cached answers and their default lifetimes in seconds. Each is the setting `cache.<kind>Seconds`; 0 stores nothing
 * and serves nothing that was stored.
 */
export const cacheKinds = {
  /** Anything without a kind of its own. */
  default: 300,
  dashboard: 60,
  keys: 60,
  trend: 300,
  stats: 60,
  leaderboard: 60,
  userInfo: 600,
  userStats: 900,
  modelList: 1_800,
  config: 3_600,
  taskStatus: 60,
} as const;

export type CacheKind = keyof typeof cacheKinds;

export const cacheKindNames = Object.keys(cacheKinds) as CacheKind[];

/** Name of the setting that holds a kind's lifetime. */
export function cacheSetting<K extends CacheKind>(kind: K): `cache.${K}Seconds` {
  return `cache.${kind}Seconds`;
}

/** Statistics of one kind's cache in one process, since its start or the last reset of the counters. */
export interface CacheFigures {
  /** Reads that found an answer in this process or in Redis. */
  hits: number;
  /** Reads that had to compute, or waited for another computation in this process. */
  misses: number;
  /** Reads while Redis was unavailable, answered by this process alone. */
  bypasses: number;
  /** Redis commands that failed. */
  errors: number;
  /** Answers not stored in Redis, because of an error (counted above as well) or their size. */
  writesFailed: number;
  /** Currently held in this process. */
  entries: number;
  bytes: number;
}
