import type { InstanceState } from "@sluice/core/events";

/** How far the books are: everything that ended before `atMs` is in them, as the gateway that is furthest behind said last. */
export interface SettledUpTo {
  /** ms since the epoch, of the server's clock. */
  atMs: number;
  lagMs: number;
}

/** It tells of itself every five seconds. */
export const GONE_AFTER_MS = 15_000;

/**
 * Null before any gateway has said so. One that fell silent with nothing left to settle holds nobody up; what it left
 * unsettled waits until another one takes it over.
 */
export function settledUpTo(instances: Iterable<InstanceState>, nowMs: number): SettledUpTo | null {
  const ends = [...instances].flatMap(({ spool, seenAtMs }) => {
    const isGone = nowMs - seenAtMs > GONE_AFTER_MS;
    if (!spool || (spool.depth === 0 && isGone)) return [];
    const ageMs = spool.depth === 0 ? 0 : spool.oldestAgeMs;
    // Gateways do not speak at the same moment: what lies between is no lag, unless one of them has fallen silent.
    return { atMs: seenAtMs - ageMs, lagMs: isGone ? nowMs - seenAtMs + ageMs : ageMs };
  });
  if (ends.length === 0) return null;
  return { atMs: Math.min(...ends.map(({ atMs }) => atMs)), lagMs: Math.max(...ends.map(({ lagMs }) => lagMs)) };
}
