import type { InstanceState } from "@sluice/core/events";

/** How far the ledger has settled: it includes everything that ended before `atMs`, by the last report of the gateway furthest behind. */
export interface SettledUpTo {
  /** Server time in ms since the epoch. */
  atMs: number;
  lagMs: number;
}

/** Instances report every five seconds; one silent for longer is gone. */
export const GONE_AFTER_MS = 15_000;

/**
 * null before any gateway has reported. A silent gateway with nothing left to settle delays nobody; what it left unsettled waits until
 * another one takes it over.
 */
export function settledUpTo(instances: Iterable<InstanceState>, nowMs: number): SettledUpTo | null {
  const ends = [...instances].flatMap(({ spool, seenAtMs }) => {
    const isGone = nowMs - seenAtMs > GONE_AFTER_MS;
    if (!spool || (spool.depth === 0 && isGone)) return [];
    const ageMs = spool.depth === 0 ? 0 : spool.oldestAgeMs;
    // Gateways report at different times: that difference is not a lag, unless one of them is silent.
    return { atMs: seenAtMs - ageMs, lagMs: isGone ? nowMs - seenAtMs + ageMs : ageMs };
  });
  if (ends.length === 0) return null;
  return { atMs: Math.min(...ends.map(({ atMs }) => atMs)), lagMs: Math.max(...ends.map(({ lagMs }) => lagMs)) };
}
