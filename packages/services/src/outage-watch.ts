/**
 * Pages that could not be read while Postgres was away are read again when it is back, without anybody pressing a button and without a
 * poll: who tells a viewer of an outage begins to look for its end, and that is pushed to everybody once. Otherwise nothing is asked.
 */
export interface OutageWatch {
  /** Somebody was told that Postgres cannot be asked, or was given less for it. */
  noticed(): void;
}

export interface OutageWatchOptions {
  /** Rejects while Postgres cannot be asked. */
  ask: () => Promise<void>;
  onReturned: () => void;
}

/** Before the first look, and the longest between two. */
const FIRST_MS = 1_000;
const MOST_MS = 5_000;

export function createOutageWatch({ ask, onReturned }: OutageWatchOptions): OutageWatch {
  let isWatching = false;

  function lookIn(ms: number): void {
    setTimeout(() => {
      ask().then(
        () => {
          isWatching = false;
          onReturned();
        },
        () => lookIn(Math.min(MOST_MS, 2 * ms)),
      );
    }, ms).unref();
  }

  return {
    noticed() {
      if (isWatching) return;
      isWatching = true;
      lookIn(FIRST_MS);
    },
  };
}
