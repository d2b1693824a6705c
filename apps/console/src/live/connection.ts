import { createStore } from "./store.ts";

/**
 * The state of the stream as shown to the reader: `connecting` at first; `live`; `reconnecting` with the time of the next attempt;
 * `offline` after several failures or when the system says so; `asleep` when this tab has been hidden for a minute; `catchingUp` after
 * that, until it has received what it missed.
 */
export interface Connection {
  phase: "connecting" | "live" | "reconnecting" | "offline" | "asleep" | "catchingUp";
  /** Time of the next attempt in ms since the epoch; 0 when none is planned. */
  retryAtMs: number;
  /** Time of the last frame in ms since the epoch; 0 = none yet. */
  lastFrameAtMs: number;
  /** One in this many requests is shown, according to the last frame; absent = all. */
  sample?: number | undefined;
}

/** Calls `run` once when the stream is live: now, or as soon as it is again. Returns a function that cancels it. */
export function whenLive(run: () => void): () => void {
  let waits = true;
  const look = (): void => {
    if (!waits || connection.get().phase !== "live") return;
    forget();
    run();
  };
  const off = connection.subscribe(look);
  function forget(): void {
    waits = false;
    off();
  }
  look();
  return forget;
}

/** Number of failures after which "reconnecting" becomes "offline". */
const OFFLINE_AFTER = 6;

export const connection = createStore<Connection>({ phase: "connecting", retryAtMs: 0, lastFrameAtMs: 0 });

/** The state after `attempts` failures, with the next attempt in `delayMs`. */
export function waiting(attempts: number, delayMs: number, nowMs: number = Date.now()): Connection {
  const offline = attempts >= OFFLINE_AFTER || (typeof navigator !== "undefined" && navigator.onLine === false);
  return { ...connection.get(), phase: offline ? "offline" : "reconnecting", retryAtMs: nowMs + delayMs };
}

/** Capped exponential backoff with jitter over the upper half: 0.25–0.5 s, 0.5–1 s, … at most 10 s. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(10_000, 500 * 2 ** Math.min(Math.max(0, attempt - 1), 10));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
