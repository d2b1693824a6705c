import type { DurationFigure, SlowQuery } from "@sluice/core/figures";
import type { Vital } from "@sluice/core/vitals";
import type { MeasuredQuery } from "@sluice/db/measured-queries";
import type { MeasuredCall } from "@sluice/services/system/measures";
import { Counter, Histogram, Registry } from "prom-client";
import { RecentDurations } from "./recent-durations.ts";

/** A finished HTTP answer, sent or aborted. */
interface Answer {
  method: string;
  /** A route template, so that there are few values. */
  endpoint: string;
  status: number;
  ms: number;
}

/** Counted here and given to the registry when it is read: its own way of finding a counter costs several times as much. */
interface AnswerCounts {
  /** As the page of figures lists it. */
  name: string;
  byStatus: Map<number | "other", number>;
}

/** Measurements as they happen: histograms for /metrics, and the last minutes for the page of figures. */
export interface Meters {
  registry: Registry;
  answered(answer: Answer): void;
  called(call: MeasuredCall): void;
  queried(query: MeasuredQuery): void;
  rendered(vital: Vital): void;
  recent(): { endpoints: DurationFigure[]; queries: DurationFigure[]; pages: DurationFigure[]; slowQueries: SlowQuery[] };
  /** Recent API calls by consoles and scripts. */
  apiCalls(): { count: number; sketch: string };
  counts(): { queries: number; slowQueries: number };
}

/** In seconds. */
const answerBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const queryBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const renderBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A statement that takes at least this long is listed as slow. */
const SLOW_MS = 500;
const MOST_SLOW = 20;
const MOST_TEXT = 500;
const MOST_SHOWN = 50;

/** A procedure call, or an operation of the REST API. */
const apiCall = /^\w+ \/(trpc|api\/v1)\//;

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Creates the meters with their own registry, so that two servers in one process (tests) do not collide. */
export function createMeters(): Meters {
  const registry = new Registry();
  const registers = [registry];
  /** By endpoint and method, of which there are few. */
  const answerCounts = new Map<string, Map<string, AnswerCounts>>();
  new Counter({
    name: "http_requests_total",
    help: "Answers by method, endpoint (route template or procedure) and status.",
    labelNames: ["method", "endpoint", "status"],
    registers,
    collect() {
      this.reset();
      for (const [endpoint, byMethod] of answerCounts)
        for (const [method, { byStatus }] of byMethod)
          for (const [status, count] of byStatus) this.inc({ method, endpoint, status }, count);
    },
  });
  const durations = new Histogram({
    name: "http_request_duration_seconds",
    help: "From the head of a request to the end of its answer; of a procedure, its own work.",
    labelNames: ["method", "endpoint"],
    buckets: answerBuckets,
    registers,
  });
  const queryDurations = new Histogram({
    name: "db_query_duration_seconds",
    help: "Statements to PostgreSQL, by the first table they name.",
    labelNames: ["table"],
    buckets: queryBuckets,
    registers,
  });
  const queryErrors = new Counter({
    name: "db_query_errors_total",
    help: "Statements that failed.",
    labelNames: ["table"],
    registers,
  });
  const slowStatements = new Counter({
    name: "db_slow_queries_total",
    help: `Statements that took ${SLOW_MS} ms or longer.`,
    labelNames: ["table"],
    registers,
  });
  const vitals = new Histogram({
    name: "sluice_console_duration_seconds",
    help: "As browsers measured: ttfb and paint of a load, render of a change of page.",
    labelNames: ["measure", "page"],
    buckets: renderBuckets,
    registers,
  });
  const recentEndpoints = new RecentDurations();
  const recentQueries = new RecentDurations();
  const recentPages = new RecentDurations();
  const counts = { queries: 0, slowQueries: 0 };
  let slowQueries: SlowQuery[] = [];

  function countsOf(method: string, endpoint: string): AnswerCounts {
    let byMethod = answerCounts.get(endpoint);
    if (!byMethod) {
      byMethod = new Map();
      answerCounts.set(endpoint, byMethod);
    }
    let known = byMethod.get(method);
    if (!known) {
      known = { name: `${method} ${endpoint}`, byStatus: new Map() };
      byMethod.set(method, known);
    }
    return known;
  }

  function answered({ method, endpoint, status, ms }: Answer): void {
    const known = methods.has(method) ? method : "other";
    const { name, byStatus } = countsOf(known, endpoint);
    const shown = status >= 100 && status < 600 ? status : "other";
    byStatus.set(shown, (byStatus.get(shown) ?? 0) + 1);
    durations.observe({ method: known, endpoint }, ms / 1_000);
    recentEndpoints.add(name, ms, status >= 500);
  }

  return {
    registry,
    answered,
    called: ({ method, procedure, status, ms }) => answered({ method, endpoint: `/trpc/${procedure}`, status, ms }),
    queried({ table, text, ms, failed }) {
      counts.queries += 1;
      queryDurations.observe({ table }, ms / 1_000);
      recentQueries.add(table, ms, failed);
      if (failed) queryErrors.inc({ table });
      if (ms < SLOW_MS) return;
      counts.slowQueries += 1;
      slowStatements.inc({ table });
      const slow = { atMs: Date.now(), ms: Math.round(ms), table, text: text.replaceAll(/\s+/g, " ").trim().slice(0, MOST_TEXT) };
      slowQueries = [slow, ...slowQueries].slice(0, MOST_SLOW);
    },
    rendered({ name, page, ms }) {
      vitals.observe({ measure: name, page }, ms / 1_000);
      recentPages.add(`${name} ${page}`, ms);
    },
    recent: () => ({
      endpoints: recentEndpoints.list(MOST_SHOWN),
      queries: recentQueries.list(MOST_SHOWN),
      pages: recentPages.list(MOST_SHOWN),
      slowQueries,
    }),
    apiCalls: () => recentEndpoints.sum((name) => apiCall.test(name)),
    counts: () => ({ ...counts }),
  };
}
