import type { GatewayStats } from "@sluice/gateway/context";
import type { LedgerStats } from "@sluice/ledger/records";
import type { Pool } from "pg";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

export interface MetricSources {
  version: string;
  pool: Pool;
  gatewayStats: () => GatewayStats | null;
  ledgerStats: () => LedgerStats | null;
  liveSubscriptions: () => number;
}

/** The process in Prometheus' text format; figures are read when they are scraped, never collected by a timer. */
export interface Metrics {
  contentType: string;
  text(): Promise<string>;
  /** Counts one answer of the process by class of status. */
  countAnswer(status: number): void;
}

/** Makes a registry of its own, so that two servers in one process (tests) do not collide. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
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
  new Gauge({
    name: "sluice_build_info",
    help: "Always 1; the label says which version runs.",
    labelNames: ["version"],
    registers: [registry],
  }).set({ version: sources.version }, 1);
  const answers = new Counter({
    name: "http_requests_total",
    help: "Answers by class of status.",
    labelNames: ["status"],
    registers: [registry],
  });
  gaugesOfGateway(gauge, sources);
  gaugesOfLedger(gauge, sources);
  gauge("sluice_live_subscriptions", "Open event streams of the console.", sources.liveSubscriptions);
  gauge("sluice_db_connections", "Connections to Postgres for console and jobs.", () => sources.pool.totalCount);
  gauge("sluice_db_connections_waiting", "Queries that wait for a connection.", () => sources.pool.waitingCount);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    countAnswer: (status) => answers.inc({ status: `${Math.floor(status / 100)}xx` }),
  };
}

type AddGauge = (name: string, help: string, read: () => number) => void;

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

function gaugesOfLedger(gauge: AddGauge, { ledgerStats }: MetricSources): void {
  gauge("sluice_ledger_depth", "Records that are not in Postgres yet.", () => ledgerStats()?.depth ?? 0);
  gauge("sluice_ledger_oldest_age_seconds", "Age of the oldest of them.", () => (ledgerStats()?.oldestAgeMs ?? 0) / 1000);
  gauge("sluice_ledger_flushes", "Batches committed since start.", () => ledgerStats()?.flushes ?? 0);
  gauge("sluice_ledger_failures", "Batches that failed since start.", () => ledgerStats()?.failures ?? 0);
  gauge("sluice_ledger_recovered", "Requests billed by recovery at this start.", () => ledgerStats()?.recovered ?? 0);
  gauge("sluice_ledger_quarantined", "Records that Postgres refused.", () => ledgerStats()?.quarantined ?? 0);
  gauge("sluice_ledger_writable", "1 while the spool can be written.", () => ((ledgerStats()?.writable ?? true) ? 1 : 0));
}
