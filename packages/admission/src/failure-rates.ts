import type { Clock } from "@sluice/core/clock";

/** Over the last 30 to 60 seconds. */
export interface FailureShare {
  requests: number;
  failures: number;
}

/** A rate over fewer requests says nothing. */
export const minRequests = 20;

interface Window {
  /** The half minute that `now` counts. */
  half: number;
  now: FailureShare;
  before: FailureShare;
}

const halfMs = 30_000;
const maxWindows = 10_000;

/** Recent failure rates per provider and model in this process: two half-minute counters each, without timers or lists. */
export function createFailureRates(clock: Clock): {
  note(id: string, outcome: "success" | "failure"): FailureShare;
  forget(id: string): void;
} {
  const windows = new Map<string, Window>();
  const none = (): FailureShare => ({ requests: 0, failures: 0 });
  return {
    note(id, outcome) {
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
      if (outcome === "failure") window.now.failures += 1;
      const { now, before } = window;
      return { requests: now.requests + before.requests, failures: now.failures + before.failures };
    },
    forget: (id) => void windows.delete(id),
  };
}
