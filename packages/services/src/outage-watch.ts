import type { Clock } from "@sluice/core/clock";

/**
 * Pages that could not be read while Postgres was away are read again when it is back, without anybody pressing a button and without a
 * poll: who tells a viewer of an outage begins to look for its end, and that is pushed to everybody once. Otherwise nothing is asked.
 */
export interface OutageWatch {
  /** Somebody was told that Postgres cannot be asked, or was given less for it. */
  noticed(): void;
}

export interface OutageWatchOptions {
  clock: Clock;
  /** Rejects while Postgres cannot be asked. */
  ask: () => Promise<void>;
  onReturned: () => void;
}

/** Before the first look, and the longest between two. */
const FIRST_MS = 1_000;
const MOST_MS = 5_000;
/**
 * What is away again so soon is rather too busy: each return brings every reader's question at once, so returns are told at ever longer
 * intervals up to half of this.
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
