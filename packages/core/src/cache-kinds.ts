/**
 * What may be kept of answers, and for how many seconds when the settings say nothing else: the one table of lifetimes. Each is
 * the setting `cache.<kind>Seconds`; 0 keeps nothing and gives out nothing that was kept.
 */
export const cacheKinds = {
  /** Whatever has no kind of its own. */
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

/** The name of the setting that holds a kind's lifetime. */
export function cacheSetting<K extends CacheKind>(kind: K): `cache.${K}Seconds` {
  return `cache.${kind}Seconds`;
}

/** How the cache of one kind did in one process since its start, or since somebody set the counters to zero. */
export interface CacheFigures {
  /** Reads that found an answer in this process or in Redis. */
  hits: number;
  /** Reads that had to compute, or waited for somebody here who did. */
  misses: number;
  /** Reads while Redis was away: answered by this process alone. */
  bypasses: number;
  /** Commands to Redis that failed. */
  errors: number;
  /** Answers that could not be kept in Redis; these are errors, too, or were too large. */
  writesFailed: number;
  /** Kept in this process now. */
  entries: number;
  bytes: number;
}
