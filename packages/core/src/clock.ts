/** Milliseconds since the epoch, and a monotonic reading for durations. Tests pass a fake one. */
export interface Clock {
  /** Wall time in ms since the epoch. */
  now(): number;
  /** Monotonic ms; only differences are meaningful. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
