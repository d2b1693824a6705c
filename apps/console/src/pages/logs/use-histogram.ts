import type { BusId, LiveEvent } from "@sluice/core/events";
import type { LogFilter } from "@sluice/core/inputs/log";
import { useEffect, useState } from "react";
import { client } from "../../api/client.ts";
import { covers } from "../../live/bus-id.ts";
import { listenTo } from "../../live/hub.ts";
import { createKeeper } from "../../live/keeper.ts";
import { createLogHistogram, type HistogramView, type LogHistogram } from "../../live/log-histogram.ts";
import { serverNow, ticks } from "../../live/server-clock.ts";
import { startOf } from "../../ranges/range-search.ts";
import { filterOf, LogSearch } from "./search.ts";

export type HistogramState =
  | { phase: "loading" | "error" }
  | { phase: "unanswered"; fields: readonly string[] }
  | { phase: "ready"; view: HistogramView };

/** A narrower range is shown with its surroundings: a bar of five minutes alone says little. */
const LEAST_MS = 3_600_000;

/** The timeline of a filter: read once, updated by push while it is kept, and advanced by the page's timer. */
export function useHistogram(feedKey: string): HistogramState {
  const [state, setState] = useState<HistogramState>({ phase: "loading" });
  useEffect(() => {
    const { one, leave } = histograms.take(feedKey, () => startHistogram(feedKey));
    const show = (): void => setState(one.state());
    const offs = [one.onChange(show), ticks.subscribe(show), leave];
    show();
    return () => {
      for (const off of offs) off();
    };
  }, [feedKey]);
  return state;
}

interface HistogramFeed {
  /** The current state; the same object when nothing changed. */
  state(): HistogramState;
  /** Registers the single listener for the end of a read, successful or not. */
  onChange(listener: () => void): () => void;
  stop(): void;
}

// Failures are not kept.
const histograms = createKeeper<HistogramFeed>((one) => one.state().phase === "ready");

export function startHistogram(feedKey: string): HistogramFeed {
  const filter = widened(LogSearch.parse(JSON.parse(feedKey)));
  let histogram: LogHistogram | null = null;
  let state: HistogramState = { phase: "loading" };
  let waiting: { events: readonly LiveEvent[]; at: BusId; after: BusId }[] = [];
  let readAt: BusId = "";
  let reading = false;
  let readings = 0;
  let changed = false;
  let stopped = false;
  let tell: () => void = () => {};

  async function read(): Promise<void> {
    reading = true;
    readings += 1;
    const own = readings;
    try {
      const answer = await client.logs.histogram.query({ filter });
      // Another read began meanwhile, and the waiting events are for that.
      if (own !== readings) return;
      if (answer.unanswered.length > 0) state = { phase: "unanswered", fields: answer.unanswered };
      else {
        histogram = createLogHistogram(answer, filter);
        readAt = answer.busId;
        // Events up to that position are in the sums.
        for (const { events, at, after } of waiting) if (!covers(at, readAt)) histogram.push(events, !covers(readAt, after));
        changed = true;
      }
    } catch {
      if (own !== readings) return;
      state = { phase: "error" };
    }
    reading = false;
    waiting = [];
    if (!stopped) tell();
  }

  const off = listenTo(["logs"], {
    events(events, at, after) {
      if (state.phase === "error" && !reading && events.some(({ type }) => type === "database.returned")) void read();
      if (!histogram && reading) waiting.push({ events, at, after });
      else if (histogram && !covers(at, readAt)) changed = histogram.push(events, !covers(readAt, after)) || changed;
    },
    reset() {
      histogram = null;
      void read();
    },
  });
  void read();
  return {
    state() {
      const view = histogram?.view(serverNow());
      const shown = state.phase === "ready" ? state.view : null;
      if (view && (changed || view.toMs !== shown?.toMs)) state = { phase: "ready", view };
      changed = false;
      return state;
    },
    onChange(listener) {
      tell = listener;
      return () => {
        tell = () => {};
      };
    },
    stop() {
      stopped = true;
      off();
    },
  };
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
