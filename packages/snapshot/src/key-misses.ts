import type { Clock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";

/** Hashes that were asked for and not found; strangers choose them, so there are only so many. */
const MAX_MISSES = 10_000;
/** Requests with unknown keys that may wait for one answer of Postgres. */
const MAX_WAITING = 1_000;

/** What keeps a flood of unknown keys from costing more than one question a second. */
export interface KeyMisses {
  /** Whether Postgres said "no such key" a moment ago. */
  isFresh(sha256: string): boolean;
  remember(sha256: string): void;
  /** After a change, anything may be found. */
  forget(): void;
  /** @throws SluiceError `unavailable` when too many wait already. */
  whileWaiting(ask: () => Promise<void>): Promise<void>;
}

/** Misses are believed for `forMs`. */
export function createKeyMisses(clock: Clock, forMs: number): KeyMisses {
  const missedAtMs = new Map<string, number>();
  let waiting = 0;
  return {
    isFresh(sha256) {
      const atMs = missedAtMs.get(sha256);
      return atMs !== undefined && clock.monotonic() - atMs < forMs;
    },
    remember(sha256) {
      if (missedAtMs.size >= MAX_MISSES) missedAtMs.clear();
      missedAtMs.set(sha256, clock.monotonic());
    },
    forget: () => missedAtMs.clear(),
    async whileWaiting(ask) {
      if (waiting >= MAX_WAITING) throw new SluiceError("unavailable", { detail: "too many unknown keys at once", retryAfterS: 1 });
      waiting++;
      try {
        await ask();
      } finally {
        waiting--;
      }
    },
  };
}
