import type { LiveEvent } from "@sluice/core/events";
import { timeOf } from "./bus-id.ts";
import { listen } from "./hub.ts";
import { createStore } from "./store.ts";

/** What the visible page does with the stream, for the indicator in the shell; null = it simply follows. */
export type ReaderMode = "holding" | "paused" | "history" | "catchingUp" | null;

export const readerMode = createStore<ReaderMode>(null);

/** Whether the visible page shows only the sample of a busy log. */
export const readerCrowded = createStore(false);

/** Span for the rate of new requests, in seconds. */
const SPAN_S = 5;
const arrivals: number[] = [];

listen({
  events(batch: readonly LiveEvent[], _at, after) {
    const now = Date.now();
    const sinceMs = timeOf(after) ?? now;
    for (const event of batch) {
      // A request that began and ended within one frame sends only its end.
      const isQuick = event.type === "request.finished" && event.row.startedAtMs >= sinceMs;
      if (isQuick || event.type === "request.started" || event.type === "request.refused") arrivals.push(now);
    }
    while (arrivals.length > 20_000) arrivals.shift();
  },
});

/** Mean arrivals per second, rounded for display. */
export function arrivalRate(nowMs: number = Date.now()): number {
  while (arrivals.length > 0 && (arrivals[0] ?? 0) < nowMs - SPAN_S * 1_000) arrivals.shift();
  const rate = arrivals.length / SPAN_S;
  return rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10;
}
