/**
 * What a page reads and then hears of by the stream outlives the page, so that coming back asks the server for nothing. What
 * nobody has read for five minutes is let go, and so is the oldest of more than three.
 */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 3;

interface Stoppable {
  stop(): void;
}

export interface Keeper<T extends Stoppable> {
  /** What is of this key, made by `start` when there is none; `leave` it when its reader goes. */
  take(key: string, start: () => T): { one: T; leave(): void };
}

interface Kept<T> {
  one: T;
  readers: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** `rest` prepares one for having no reader; false = it is not worth keeping. */
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
      // Last used comes last.
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
