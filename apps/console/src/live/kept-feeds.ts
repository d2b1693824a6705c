import type { LogFeed } from "./log-feed.ts";

/**
 * Feeds of the log outlive the page that showed them, so that coming back asks the server for nothing: they go on
 * hearing the stream. One that nobody has read for five minutes is let go, and so is the oldest of more than three.
 */
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 3;

interface Kept {
  feed: LogFeed;
  readers: number;
  timer?: ReturnType<typeof setTimeout>;
}

const kept = new Map<string, Kept>();

/** The feed of this key, made by `start` when there is none; `leave` it when its reader goes. */
export function takeFeed(key: string, start: () => LogFeed): { feed: LogFeed; leave(): void } {
  const one = kept.get(key) ?? { feed: start(), readers: 0 };
  clearTimeout(one.timer);
  one.readers += 1;
  // Last used comes last.
  kept.delete(key);
  kept.set(key, one);
  return {
    feed: one.feed,
    leave() {
      one.readers -= 1;
      if (one.readers > 0) return;
      // A failure is not kept, and what was being read by hand is at the top again next time.
      if (one.feed.status.get().phase !== "ready") return drop(key, one);
      one.feed.tail.setPaused(false);
      one.feed.tail.setHolding(false);
      one.timer = setTimeout(() => drop(key, one), KEPT_MS);
      const unread = [...kept].filter(([, { readers }]) => readers === 0);
      for (const [old, feed] of unread.slice(0, Math.max(0, unread.length - MOST_KEPT))) drop(old, feed);
    },
  };
}

function drop(key: string, one: Kept): void {
  clearTimeout(one.timer);
  one.feed.stop();
  if (kept.get(key) === one) kept.delete(key);
}
