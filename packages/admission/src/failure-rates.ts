import type { Clock } from "@sluice/core/clock";

/** Of the last one to two half minutes. */
export interface FailureShare {
  requests: number;
  failures: number;
}

/** A share of fewer requests than this says nothing. */
export const minRequests = 20;

interface Window {
  /** Which half minute `now` counts. */
  half: number;
  now: FailureShare;
  before: FailureShare;
}

const halfMs = 30_000;
const maxWindows = 10_000;

/** How often each provider × model failed lately in this process: two counters of half a minute, no timer, no list. */
export function createFailureRates(clock: Clock): {
  note(id: string, isSuccess: boolean): FailureShare;
  forget(id: string): void;
} {
  const windows = new Map<string, Window>();
  const none = (): FailureShare => ({ requests: 0, failures: 0 });
  return {
    note(id, isSuccess) {
      const half = Math.floor(clock.monotonic() / halfMs);
      let window = windows.get(id);
      if (!window) {
        if (windows.size >= maxWindows) windows.clear();
        window = { half, now: none(), before: none() };
        windows.set(id, window);
      }
      if (window.half !== half) {
        window.before = window.half === half - 1 ? window.now : none();
        window.now = none();
        window.half = half;
      }
      window.now.requests += 1;
      if (!isSuccess) window.now.failures += 1;
      const { now, before } = window;
      return { requests: now.requests + before.requests, failures: now.failures + before.failures };
    },
    forget: (id) => void windows.delete(id),
  };
}
