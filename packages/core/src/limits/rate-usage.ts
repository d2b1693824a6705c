/**
 * Usage of a requests-per-minute limit, from the requests per second of its window (see rate-window.ts): each stops counting
 * 61 seconds after its own. Server and console compute the same, so a displayed figure stays current without polling.
 */
const WINDOW_S = 61;

/** Number of requests in one second since the epoch. */
export interface RateSecond {
  second: number;
  count: number;
}

/** Requests that still count. */
export function rateUsed(rate: readonly RateSecond[], nowMs: number): number {
  const first = Math.floor(nowMs / 1000) - WINDOW_S + 1;
  return rate.reduce((sum, { second, count }) => (second >= first ? sum + count : sum), 0);
}

/** ms since the epoch at which fewer than `limit` count if nothing more is admitted; null when that is already so. */
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

/** ms since the epoch at which nothing counts any more; null when that is already so. `rate` starts with the oldest second. */
export function rateResetAtMs(rate: readonly RateSecond[], nowMs: number): number | null {
  const last = rate.at(-1);
  return last && rateUsed(rate, nowMs) > 0 ? (last.second + WINDOW_S) * 1000 : null;
}
