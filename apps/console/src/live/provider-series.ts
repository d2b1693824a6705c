import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { statusClassOf } from "@sluice/core/status-class";
import type { Outputs } from "../api/client.ts";
import { createStore } from "./store.ts";

type Loaded = NonNullable<Outputs["providers"]["bootstrap"]["series"]>;
export type ProviderSeriesOf = Loaded["providers"][number];

interface SeriesWindow {
  fromMs: number;
  bucketMs: number;
  byProvider: ReadonlyMap<string, ProviderSeriesOf>;
}

/** The last hours of every provider in buckets: read once with the bootstrap, then moved by requests that finish. */
export interface ProviderSeriesBoard {
  get(): SeriesWindow;
  subscribe(listener: () => void): () => void;
  load(series: Loaded): void;
  push(events: readonly LiveEvent[]): void;
}

const BUCKETS = 36;
const figures = ["requests", "errors", "ttftMs", "ttfts"] as const;

export function createProviderSeries(now: () => number): ProviderSeriesBoard {
  const store = createStore<SeriesWindow>({ fromMs: 0, bucketMs: 300_000, byProvider: new Map() });
  /** Ids that were counted: a request is replayed after a lost connection. Only as far back as the stream goes. */
  let counted = new Set<string>();

  return {
    get: store.get,
    subscribe: store.subscribe,
    // What was pushed since the list was read is not in the rollups yet; counts only grow, so the larger is the later.
    load(series) {
      const known = moved(store.get(), series.fromMs);
      const byProvider = new Map(known.byProvider);
      for (const one of series.providers) {
        const other = byProvider.get(one.providerId);
        byProvider.set(one.providerId, other ? larger(one, other) : one);
      }
      store.set({ fromMs: series.fromMs, bucketMs: series.bucketMs, byProvider });
    },
    push(events) {
      const rows = events.flatMap((event) => (event.type === "request.finished" && event.row.providerId !== "" ? event.row : []));
      const fresh = rows.filter(({ id }) => !counted.has(id));
      if (fresh.length === 0) return;
      if (counted.size > 20_000) counted = new Set();
      const { bucketMs } = store.get();
      const lastMs = Math.floor(now() / bucketMs) * bucketMs;
      const window = moved(store.get(), lastMs - (BUCKETS - 1) * bucketMs);
      const byProvider = new Map(window.byProvider);
      for (const row of fresh) {
        counted.add(row.id);
        const at = Math.floor((row.startedAtMs - window.fromMs) / bucketMs);
        if (at < 0) continue;
        byProvider.set(row.providerId, plus(byProvider.get(row.providerId) ?? nothing(row.providerId), Math.min(at, BUCKETS - 1), row));
      }
      store.set({ ...window, byProvider });
    },
  };
}

function nothing(providerId: string): ProviderSeriesOf {
  const zeros = (): number[] => new Array<number>(BUCKETS).fill(0);
  return { providerId, requests: zeros(), errors: zeros(), ttftMs: zeros(), ttfts: zeros() };
}

function plus(series: ProviderSeriesOf, at: number, row: RequestRow): ProviderSeriesOf {
  const status = statusClassOf(row);
  const add = (values: number[], by: number): number[] => values.map((value, index) => (index === at ? value + by : value));
  return {
    ...series,
    requests: add(series.requests, 1),
    errors: add(series.errors, Number(status === "4xx" || status === "5xx")),
    ttftMs: add(series.ttftMs, row.ttftMs ?? 0),
    ttfts: add(series.ttfts, Number(row.ttftMs !== null)),
  };
}

function larger(a: ProviderSeriesOf, b: ProviderSeriesOf): ProviderSeriesOf {
  const next = { ...a };
  for (const figure of figures) next[figure] = a[figure].map((value, index) => Math.max(value, b[figure][index] ?? 0));
  return next;
}

/** The window from another start on: what is older is dropped, what is newer is empty. */
function moved(window: SeriesWindow, fromMs: number): SeriesWindow {
  const steps = Math.round((fromMs - window.fromMs) / window.bucketMs);
  if (steps <= 0) return window;
  const byProvider = new Map<string, ProviderSeriesOf>();
  for (const [id, series] of window.byProvider) {
    const next = nothing(id);
    for (const figure of figures) next[figure] = next[figure].map((_, index) => series[figure][index + steps] ?? 0);
    byProvider.set(id, next);
  }
  return { ...window, fromMs, byProvider };
}
