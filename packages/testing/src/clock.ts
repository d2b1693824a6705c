import type { Clock } from "@sluice/core/clock";

/** A clock that moves only when told to. */
export interface FakeClock extends Clock {
  /** Advances wall time and the monotonic reading. */
  advance(ms: number): void;
  /** Sets wall time alone, even backwards, as an operator or NTP may. */
  setNow(ms: number): void;
}

/** Starts at the given wall time (ms since the epoch); default 2026-11-21T00:00:00Z. */
export function fakeClock(startMs: number = Date.UTC(2026, 10, 21)): FakeClock {
  let wall = startMs;
  let steady = 0;
  return {
    now: () => wall,
    monotonic: () => steady,
    advance(ms) {
      wall += ms;
      steady += ms;
    },
    setNow(ms) {
      wall = ms;
    },
  };
}
