import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import type { Recent } from "@sluice/core/statistics";
import { statusClassOf } from "@sluice/core/status-class";
import type { Outputs } from "../api/client.ts";
import { createEndedRows, type EndedRow, uncounted } from "./ended-rows.ts";
import { createStore } from "./store.ts";

type Loaded = NonNullable<Outputs["providers"]["bootstrap"]["series"]>;
export type ProviderSeriesOf = Loaded["providers"][number];

interface SeriesWindow {
  fromMs: number;
  bucketMs: number;
  byProvider: ReadonlyMap<string, ProviderSeriesOf>;
}

/** The last hours of every provider in buckets: read once with the bootstrap, then updated by requests that finish. */
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
  const ended = createEndedRows(now);
  let recent: Recent = { fromMs: 0, ids: [] };

  /** The others are included in what was read. */
  function count(ends: readonly EndedRow[]): void {
    const rows = uncounted(ends, recent).filter(({ providerId, correctsId }) => providerId !== "" && correctsId === null);
    if (rows.length === 0) return;
    const { bucketMs } = store.get();
    const lastMs = Math.floor(now() / bucketMs) * bucketMs;
    const window = moved(store.get(), lastMs - (BUCKETS - 1) * bucketMs);
    const byProvider = new Map(window.byProvider);
    for (const row of rows) {
      const at = Math.floor((row.startedAtMs - window.fromMs) / bucketMs);
      if (at < 0) continue;
      byProvider.set(row.providerId, plus(byProvider.get(row.providerId) ?? nothing(row.providerId), Math.min(at, BUCKETS - 1), row));
    }
    store.set({ ...window, byProvider });
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    load({ fromMs, bucketMs, providers, recent: counted }) {
      recent = counted;
      store.set({ fromMs, bucketMs, byProvider: new Map(providers.map((one) => [one.providerId, one])) });
      count(ended.list());
    },
    push: (events) => count(ended.push(events)),
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

/** The window from another start on: older buckets are dropped, newer ones are empty. */
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
