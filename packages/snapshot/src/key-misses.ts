import type { Clock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";

/** Hashes that were not found. Bounded, because anyone can send arbitrary keys. */
const MAX_MISSES = 10_000;
/** Requests with unknown keys that may wait for Postgres at once. */
const MAX_WAITING = 1_000;

/** Keeps a flood of unknown keys from costing more than one query per second. */
export interface KeyMisses {
  /** Whether Postgres answered "no such key" a moment ago. */
  isFresh(sha256: string): boolean;
  remember(sha256: string): void;
  /** Called after a change, when any key may exist. */
  forget(): void;
  /** @throws SluiceError `unavailable` when too many are waiting already. */
  whileWaiting(ask: () => Promise<void>): Promise<void>;
}

/** Misses are valid for `forMs`. */
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
