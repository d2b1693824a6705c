/**
 * Keeps what a page has read and receives by the stream beyond the page, so that returning to it causes no request. Released after five
 * minutes without a reader; of more than three the oldest goes first.
 */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 3;

interface Stoppable {
  stop(): void;
}

export interface Keeper<T extends Stoppable> {
  /** The entry of this key, created by `start` if there is none; call `leave` when its reader is gone. */
  take(key: string, start: () => T): { one: T; leave(): void };
}

interface Kept<T> {
  one: T;
  readers: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** `rest` prepares an entry for having no reader; false = discard it. */
export function createKeeper<T extends Stoppable>(rest: (one: T) => boolean): Keeper<T> {
  const kept = new Map<string, Kept<T>>();

  function drop(key: string, held: Kept<T>): void {
    clearTimeout(held.timer);
    held.one.stop();
    if (kept.get(key) === held) kept.delete(key);
  }

  return {
    take(key, start) {
      const held = kept.get(key) ?? { one: start(), readers: 0 };
      clearTimeout(held.timer);
      held.readers += 1;
      // Keeps the map ordered by last use.
      kept.delete(key);
      kept.set(key, held);
      return {
        one: held.one,
        leave() {
          held.readers -= 1;
          if (held.readers > 0) return;
          if (!rest(held.one)) return drop(key, held);
          held.timer = setTimeout(() => drop(key, held), KEPT_MS);
          const unread = [...kept].filter(([, { readers }]) => readers === 0);
          for (const [old, other] of unread.slice(0, Math.max(0, unread.length - MOST_KEPT))) drop(old, other);
        },
      };
    },
  };
}
