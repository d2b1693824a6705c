import { createStore } from "./store.ts";

/**
 * The server's wall clock as seen by this browser. Messages are late but never early, so the largest difference observed is the most
 * accurate; a jump of more than five seconds means that one of the clocks was set.
 */
let offsetMs = 0;
let known = false;

/** Takes the server time from a message that has just arrived. */
export function observeServerTime(serverNowMs: number, nowMs: number = Date.now()): void {
  if (serverNowMs <= 0) return;
  const seen = serverNowMs - nowMs;
  if (!known || seen > offsetMs || offsetMs - seen > 5_000) offsetMs = seen;
  known = true;
}

/** Current server time in ms since the epoch. */
export function serverNow(nowMs: number = Date.now()): number {
  return nowMs + offsetMs;
}

/** One timer per second for everything that ticks; it runs only while somebody watches. */
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
