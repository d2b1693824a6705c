/**
 * Requests (or tokens) per minute as a sliding window of one-second buckets: the current second and the 60 before it. So at most
 * `limit` are admitted in any 60 seconds, wherever they start, and an aged-out entry frees its place at most one second
 * late. Constant memory and amortised constant time; admission's Lua script computes the same.
 */
const BUCKETS = 61;

export interface RateWindow {
  counts: Float64Array;
  /** Sum of all buckets. */
  total: number;
  /** The newest second that is accounted for. */
  second: number;
}

export function newRateWindow(nowMs: number): RateWindow {
  return { counts: new Float64Array(BUCKETS), total: 0, second: Math.floor(nowMs / 1000) };
}

/** Drops what has aged out. A clock that stepped back leaves the window unchanged. */
export function advanceRate(window: RateWindow, nowMs: number): void {
  const second = Math.floor(nowMs / 1000);
  if (second - window.second >= BUCKETS) {
    window.counts.fill(0);
    window.total = 0;
    window.second = second;
  }
  while (window.second < second) {
    window.second++;
    const slot = window.second % BUCKETS;
    window.total -= window.counts[slot] ?? 0;
    window.counts[slot] = 0;
  }
}

/** Counts one request, or `amount` tokens, and returns the second they were counted in, for {@link returnRate}. */
export function takeRate(window: RateWindow, nowMs: number, amount = 1): number {
  advanceRate(window, nowMs);
  const slot = window.second % BUCKETS;
  window.counts[slot] = (window.counts[slot] ?? 0) + amount;
  window.total += amount;
  return window.second;
}

/** Returns what was counted in `second` but not used, as far as it still counts. */
export function returnRate(window: RateWindow, second: number, amount = 1): void {
  if (window.second - second >= BUCKETS) return;
  const slot = second % BUCKETS;
  const count = window.counts[slot] ?? 0;
  const returned = Math.min(count, amount);
  window.counts[slot] = count - returned;
  window.total -= returned;
}

/** Requests by second, oldest first, without changing the window. */
export function readRate(window: RateWindow, nowMs: number): { second: number; count: number }[] {
  const first = Math.max(window.second, Math.floor(nowMs / 1000)) - BUCKETS + 1;
  const rate: { second: number; count: number }[] = [];
  for (let second = first; second <= window.second; second++) {
    const count = window.counts[((second % BUCKETS) + BUCKETS) % BUCKETS] ?? 0;
    if (count > 0) rate.push({ second, count });
  }
  return rate;
}

/** Whole seconds (≥ 1) until the window holds fewer than `limit` if nothing more is admitted. */
export function rateRetryAfterS(window: RateWindow, limit: number, nowMs: number): number {
  let left = window.total;
  for (let second = window.second - BUCKETS + 1; second <= window.second; second++) {
    left -= window.counts[((second % BUCKETS) + BUCKETS) % BUCKETS] ?? 0;
    if (left < limit) return Math.max(1, Math.ceil(second + BUCKETS - nowMs / 1000));
  }
  return 1;
}
