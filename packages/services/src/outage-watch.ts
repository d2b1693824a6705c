import type { Clock } from "@sluice/core/clock";

/**
 * Lets pages that failed while Postgres was away reload once it is back, without a button and without polling: code that reports an
 * outage to a viewer starts the watch, and one push to everybody announces the end. Otherwise nothing runs.
 */
export interface OutageWatch {
  /** Call when a viewer got an error or a partial answer because Postgres cannot be reached. */
  noticed(): void;
}

export interface OutageWatchOptions {
  clock: Clock;
  /** Rejects while Postgres cannot be reached. */
  ask: () => Promise<void>;
  onReturned: () => void;
}

/** Delay before the first check, and the longest delay between two. */
const FIRST_MS = 1_000;
const MOST_MS = 5_000;
/**
 * An outage that recurs sooner than this suggests overload: every announced return makes all viewers reload at once, so returns are
 * announced at growing intervals, up to half of this.
 */
const CALM_MS = 60_000;

export function createOutageWatch({ clock, ask, onReturned }: OutageWatchOptions): OutageWatch {
  let isWatching = false;
  let firstMs = FIRST_MS;
  let returnedAtMs = Number.NEGATIVE_INFINITY;

  function lookIn(ms: number): void {
    setTimeout(() => {
      ask().then(
        () => {
          isWatching = false;
          returnedAtMs = clock.monotonic();
          onReturned();
        },
        () => lookIn(Math.max(ms, Math.min(MOST_MS, 2 * ms))),
      );
    }, ms).unref();
  }

  return {
    noticed() {
      if (isWatching) return;
      isWatching = true;
      const isCalm = clock.monotonic() - returnedAtMs > CALM_MS;
      firstMs = isCalm ? FIRST_MS : Math.min(CALM_MS / 2, 2 * firstMs);
      lookIn(firstMs);
    },
  };
}
