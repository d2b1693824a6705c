import { createStore } from "./store.ts";

/**
 * The server's wall clock as this browser sees it. A message is late but never early, so the largest difference seen
 * is the nearest to the truth; a jump of more than five seconds means that one of the clocks was set.
 */
let offsetMs = 0;
let known = false;

/** Takes in the server's time of a message that has just arrived. */
export function observeServerTime(serverNowMs: number, nowMs: number = Date.now()): void {
  if (serverNowMs <= 0) return;
  const seen = serverNowMs - nowMs;
  if (!known || seen > offsetMs || offsetMs - seen > 5_000) offsetMs = seen;
  known = true;
}

/** Server wall time now, ms since the epoch. */
export function serverNow(nowMs: number = Date.now()): number {
  return nowMs + offsetMs;
}

/** One timer a second for everything that ticks; it runs only while somebody watches. */
const seconds = createStore(0);
let timer: ReturnType<typeof setInterval> | undefined;
let watchers = 0;

export const ticks = {
  get: seconds.get,
  subscribe(listener: () => void): () => void {
    if (watchers++ === 0) {
      seconds.set(serverNow());
      timer = setInterval(() => seconds.set(serverNow()), 1_000);
    }
    const off = seconds.subscribe(listener);
    return () => {
      off();
      if (--watchers === 0) clearInterval(timer);
    };
  },
};
