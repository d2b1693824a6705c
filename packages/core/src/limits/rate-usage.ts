/**
 * What of a requests-per-minute limit is used, read from the requests of its window by second (see rate-window.ts): each
 * leaves 61 seconds after its own. The server and the console count alike, so that a figure goes on without being asked for.
 */
const WINDOW_S = 61;

/** Requests of one second of the epoch. */
export interface RateSecond {
  second: number;
  count: number;
}

/** Requests that still count. */
export function rateUsed(rate: readonly RateSecond[], nowMs: number): number {
  const first = Math.floor(nowMs / 1000) - WINDOW_S + 1;
  return rate.reduce((sum, { second, count }) => (second >= first ? sum + count : sum), 0);
}

/** ms since the epoch at which fewer than `limit` count, if nothing else is admitted meanwhile; null when that is so now. */
export function rateFreesAtMs(rate: readonly RateSecond[], limit: number, nowMs: number): number | null {
  let left = rateUsed(rate, nowMs);
  if (left < limit) return null;
  const first = Math.floor(nowMs / 1000) - WINDOW_S + 1;
  for (const { second, count } of rate) {
    if (second < first) continue;
    left -= count;
    if (left < limit) return (second + WINDOW_S) * 1000;
  }
  return null;
}

/** ms since the epoch at which nothing counts any more; null when that is so now. `rate` has its oldest second first. */
export function rateResetAtMs(rate: readonly RateSecond[], nowMs: number): number | null {
  const last = rate.at(-1);
  return last && rateUsed(rate, nowMs) > 0 ? (last.second + WINDOW_S) * 1000 : null;
}
