import type { StickyStats } from "@sluice/admission/admission";
import type { CreditStats } from "@sluice/admission/credit";
import type { Cache } from "@sluice/cache/cache";
import type { StoreFigures } from "@sluice/core/figures";
import type { LedgerStats } from "@sluice/ledger/records";
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";
import { addCacheMetrics } from "./cache-metrics.ts";
import type { ProcessCounts } from "./process-figures.ts";
import type { SpanExportStats } from "./span-export.ts";
import { addStoreMetrics } from "./store-metrics.ts";

export interface MetricSources extends ProcessCounts {
  version: string;
  creditStats: () => CreditStats;
  liveSubscriptions: () => number;
  /** The largest deviation of a cost limit's sum when it was last compared with the ledger. */
  limitDriftNanoUsd: () => number;
  stickyStats: () => StickyStats;
  cacheFigures: Cache["figures"];
  /** null = no tracing. */
  spanStats: () => SpanExportStats | null;
  /** Queries PostgreSQL and Redis. */
  stores: () => Promise<StoreFigures>;
}

/** Metrics of the process, PostgreSQL and Redis in Prometheus' text format; values are read on each scrape, never by a timer. */
export interface Metrics {
  contentType: string;
  text(): Promise<string>;
  /** Durations of the ledger, in ms. */
  ledger: { onCommitted(ms: number): void; onSynced(ms: number): void };
}

/** In seconds. */
const settleBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const syncBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Adds everything that is read at scrape time to the meters' registry. */
export function createMetrics(sources: MetricSources): Metrics {
  const { registry } = sources.meters;
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, read: () => number): void => addCounter(registry, { name, help, read });
  new Gauge({
    name: "sluice_build_info",
    help: "Always 1; the label says which version runs.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: sources.version }, 1);
  gaugesOfGateway(gauge, sources);
  const ledger = metricsOfLedger(registry, gauge, sources);
  gaugesOfCredit(gauge, sources);
  gauge(
    "sluice_limit_drift_usd",
    "Worst difference of a cost limit's sum to the ledger, last time they were compared.",
    () => sources.limitDriftNanoUsd() / 1e9,
  );
  gaugesOfStickiness(gauge, sources);
  counter(
    "sluice_lock_conflicts_total",
    "Probes of a breaker that other requests had taken, and locks of answers that another instance computed.",
    sources.lockConflicts,
  );
  counter("sluice_events_published_total", "Events given to the live bus.", sources.eventsPublished);
  counter("sluice_frames_sent_total", "Frames given to event streams.", sources.framesSent);
  // Registered before the metrics that query PostgreSQL, whose own query would count as waiting.
  gauge("sluice_db_connections", "Connections to Postgres for console and jobs.", () => sources.pool.totalCount);
  gauge("sluice_db_connections_waiting", "Queries that wait for a connection.", () => sources.pool.waitingCount);
  addStoreMetrics(registry, sources.stores);
  addCacheMetrics(registry, sources.cacheFigures);
  gauge("sluice_spans_exported", "Spans that the collector of traces took, since start.", () => sources.spanStats()?.exported ?? 0);
  gauge("sluice_spans_dropped", "Spans given up because it was away or too slow, since start.", () => sources.spanStats()?.dropped ?? 0);
  gauge("sluice_live_subscriptions", "Open event streams of the console.", sources.liveSubscriptions);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    ledger,
  };
}

type AddGauge = (name: string, help: string, read: () => number) => void;

function gaugesOfCredit(gauge: AddGauge, { creditStats }: MetricSources): void {
  gauge("sluice_credit_users", "Prepaid users whose balance is known here.", () => creditStats().users);
  gauge("sluice_credit_open_nano_usd", "Reserved, or spent and not committed yet, by this process.", () => creditStats().openNanoUsd);
  gauge("sluice_credit_rebuilds", "Rebuilds of the reserved credit from Postgres since start.", () => creditStats().rebuilds);
  gauge("sluice_credit_drift_nano_usd", "What rebuilds had to correct since start.", () => creditStats().driftNanoUsd);
}

function gaugesOfStickiness(gauge: AddGauge, { stickyStats }: MetricSources): void {
  gauge("sluice_sticky_sessions", "Sessions bound to a provider in this process.", () => stickyStats().size);
  gauge("sluice_sticky_hits", "Lookups that found a binding here, since start.", () => stickyStats().hits);
  gauge("sluice_sticky_misses", "Lookups that found none here, since start.", () => stickyStats().misses);
  gauge("sluice_sticky_evicted", "Bindings that made room for others, since start.", () => stickyStats().evicted);
  gauge("sluice_sticky_expired", "Bindings that ran out, since start.", () => stickyStats().expired);
}

function gaugesOfGateway(gauge: AddGauge, { gatewayStats }: MetricSources): void {
  gauge("sluice_gateway_in_flight", "Requests in flight.", () => gatewayStats()?.inFlight ?? 0);
  gauge("sluice_gateway_body_bytes", "Bytes of request bodies held.", () => gatewayStats()?.bodyBytes ?? 0);
  gauge("sluice_gateway_requests", "Requests since start.", () => gatewayStats()?.requests ?? 0);
  gauge(
    "sluice_gateway_refused_anonymous",
    "Requests refused without a valid key since start.",
    () => gatewayStats()?.refusedAnonymous ?? 0,
  );
  gauge("sluice_gateway_unrecorded", "Requests whose end could not be recorded since start.", () => gatewayStats()?.unrecorded ?? 0);
}

/** A counter whose value is maintained elsewhere and read at scrape time. */
function addCounter(registry: Registry, { read, ...options }: { name: string; help: string; read: () => number }): void {
  new Counter({
    ...options,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** Counters that the ledger maintains since its start, read at scrape time. */
function metricsOfLedger(registry: Registry, gauge: AddGauge, { ledgerStats }: MetricSources): Metrics["ledger"] {
  const counter = (name: string, help: string, read: (stats: LedgerStats) => number): void =>
    addCounter(registry, {
      ...{ name, help },
      read() {
        const stats = ledgerStats();
        return stats ? read(stats) : 0;
      },
    });
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name, help, buckets, registers: [registry] });
  gauge("sluice_ledger_depth", "Records that are not in Postgres yet.", () => ledgerStats()?.depth ?? 0);
  gauge("sluice_ledger_oldest_age_seconds", "Age of the oldest of them.", () => (ledgerStats()?.oldestAgeMs ?? 0) / 1000);
  gauge("sluice_ledger_writable", "1 while the spool can be written.", () => ((ledgerStats()?.writable ?? true) ? 1 : 0));
  counter("sluice_ledger_flushes_total", "Batches committed.", ({ flushes }) => flushes);
  counter("sluice_ledger_rows_total", "Rows inserted.", ({ rows }) => rows);
  counter("sluice_ledger_failures_total", "Batches that failed and are tried again.", ({ failures }) => failures);
  counter("sluice_ledger_recovered_total", "Requests whose end recovery wrote.", ({ recovered }) => recovered);
  counter("sluice_ledger_quarantined_total", "Records that Postgres refused.", ({ quarantined }) => quarantined);
  counter(
    "sluice_ledger_dropped_refusals_total",
    "Refused requests without a row: neither disk nor memory had room.",
    (stats) => stats.droppedRefusals,
  );
  const settle = histogram("sluice_ledger_settle_duration_seconds", "Time of a batch until it is committed.", settleBuckets);
  const sync = histogram("sluice_ledger_fsync_duration_seconds", "Time of one fdatasync of the spool.", syncBuckets);
  return { onCommitted: (ms) => settle.observe(ms / 1_000), onSynced: (ms) => sync.observe(ms / 1_000) };
}
