import type { LiveEvent } from "@sluice/core/events";
import { timeOf } from "./bus-id.ts";
import { listen } from "./hub.ts";
import { createStore } from "./store.ts";

/** What the page in view does with the stream, for the one indicator in the shell; null = it just follows. */
export type ReaderMode = "holding" | "paused" | "history" | "catchingUp" | null;

export const readerMode = createStore<ReaderMode>(null);

/** Whether the page in view shows the sample of a busy log alone. */
export const readerCrowded = createStore(false);

/** Requests that began, a second, over the last few seconds. */
const SPAN_S = 5;
const arrivals: number[] = [];

listen({
  events(batch: readonly LiveEvent[], _at, after) {
    const now = Date.now();
    const sinceMs = timeOf(after) ?? now;
    for (const event of batch) {
      // Of one that began and ended within one frame the end comes alone.
      const isQuick = event.type === "request.finished" && event.row.startedAtMs >= sinceMs;
      if (isQuick || event.type === "request.started" || event.type === "request.refused") arrivals.push(now);
    }
    while (arrivals.length > 20_000) arrivals.shift();
  },
});

/** Mean arrivals a second, rounded for show. */
export function arrivalRate(nowMs: number = Date.now()): number {
  while (arrivals.length > 0 && (arrivals[0] ?? 0) < nowMs - SPAN_S * 1_000) arrivals.shift();
  const rate = arrivals.length / SPAN_S;
  return rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10;
}
