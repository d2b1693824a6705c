import { createStore } from "./store.ts";

/**
 * What the reader is told of the one stream: `live`; `connecting` at first; `reconnecting` with the moment of the next
 * try; `offline` after several failed ones or when the system says so; `asleep` when this tab has been hidden for a
 * minute; `catchingUp` from then until it has what it missed.
 */
export interface Connection {
  phase: "connecting" | "live" | "reconnecting" | "offline" | "asleep" | "catchingUp";
  /** ms since the epoch of the next try; 0 when none is planned. */
  retryAtMs: number;
  /** ms since the epoch at which the last frame came; 0 = none yet. */
  lastFrameAtMs: number;
  /** One in so many requests is shown, by the last frame; absent = all. */
  sample?: number | undefined;
}

/** Tries after which "reconnecting" becomes "offline". */
const OFFLINE_AFTER = 6;

export const connection = createStore<Connection>({ phase: "connecting", retryAtMs: 0, lastFrameAtMs: 0 });

/** The state after `attempts` failed tries, the next one in `delayMs`. */
export function waiting(attempts: number, delayMs: number, nowMs: number = Date.now()): Connection {
  const offline = attempts >= OFFLINE_AFTER || (typeof navigator !== "undefined" && navigator.onLine === false);
  return { ...connection.get(), phase: offline ? "offline" : "reconnecting", retryAtMs: nowMs + delayMs };
}

/** Capped backoff with jitter over the upper half: 0.25–0.5 s, 0.5–1 s, … at most 10 s. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(10_000, 500 * 2 ** Math.min(Math.max(0, attempt - 1), 10));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
