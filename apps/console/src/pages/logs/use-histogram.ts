import type { BusId, LiveEvent } from "@sluice/core/events";
import type { LogFilter } from "@sluice/core/inputs/log";
import { useEffect, useState } from "react";
import { client } from "../../api/client.ts";
import { covers } from "../../live/bus-id.ts";
import { listenTo } from "../../live/hub.ts";
import { createLogHistogram, type HistogramView, type LogHistogram } from "../../live/log-histogram.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { filterOf, LogSearch, startOf } from "./search.ts";

export type HistogramState =
  | { phase: "loading" | "error" }
  | { phase: "unanswered"; fields: readonly string[] }
  | { phase: "ready"; view: HistogramView };

/** A narrower range shows what is around it, too: a bar of five minutes says little alone. */
const LEAST_MS = 3_600_000;

/** The timeline of a filter: read once, counted on by push, moved on by the page's one timer. Another filter is another. */
export function useHistogram(feedKey: string): HistogramState {
  const [state, setState] = useState<HistogramState>({ phase: "loading" });
  useEffect(() => {
    const filter = widened(LogSearch.parse(JSON.parse(feedKey)));
    let histogram: LogHistogram | null = null;
    let waiting: { events: readonly LiveEvent[]; at: BusId }[] = [];
    let readAt: BusId = "";
    let shown = 0;
    let changed = false;
    let current = true;
    const show = (): void => {
      if (!histogram) return;
      const view = histogram.view(serverNow());
      if (!changed && view.toMs === shown) return;
      changed = false;
      shown = view.toMs;
      setState({ phase: "ready", view });
    };
    const read = async (): Promise<void> => {
      try {
        const answer = await client.logs.histogram.query({ filter });
        if (!current) return;
        if (answer.unanswered.length > 0) return setState({ phase: "unanswered", fields: answer.unanswered });
        histogram = createLogHistogram(answer, filter);
        readAt = answer.busId;
        // What came up to there is in the sums.
        for (const { events, at } of waiting) if (!covers(at, readAt)) histogram.push(events);
        waiting = [];
        changed = true;
        show();
      } catch {
        if (current) setState({ phase: "error" });
      }
    };
    const offs = [
      listenTo(["logs"], {
        events(events, at) {
          if (!histogram) waiting.push({ events, at });
          else if (!covers(at, readAt)) changed = histogram.push(events) || changed;
        },
        reset() {
          histogram = null;
          void read();
        },
      }),
      ticks.subscribe(show),
    ];
    setState({ phase: "loading" });
    void read();
    return () => {
      current = false;
      for (const off of offs) off();
    };
  }, [feedKey]);
  return state;
}

function widened(search: LogSearch): LogFilter {
  const now = serverNow();
  const filter = filterOf(search, now);
  const fromMs = startOf(search, now);
  if (fromMs === undefined) return filter;
  const toMs = search.to ?? now;
  const missing = LEAST_MS - (toMs - fromMs);
  if (missing <= 0) return filter;
  if (search.to === undefined) return { ...filter, fromMs: Math.max(0, Math.floor(fromMs - missing)) };
  return { ...filter, fromMs: Math.max(0, Math.floor(fromMs - missing / 2)), toMs: Math.ceil(toMs + missing / 2) };
}
