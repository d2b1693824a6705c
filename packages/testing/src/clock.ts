import type { Clock } from "@sluice/core/clock";

/** A clock that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Moves wall time and the monotonic reading on. */
  advance(ms: number): void;
  /** Sets wall time alone, also backwards, as an operator or NTP may. */
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
