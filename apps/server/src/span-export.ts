import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Log } from "@sluice/core/log";
import type { TracingEnv } from "./env.ts";

/** Counts of spans since the start. */
export interface SpanExportStats {
  exported: number;
  /** Lost: the collector could not be reached or refused them, or too many were waiting for it. */
  dropped: number;
  /** Ended, but neither exported nor dropped yet. */
  waiting: number;
}

const MOST_WAITING = 4_096;
const CLOSE_MS = 2_000;
const WARN_EVERY_MS = 60_000;

/** Exports ended spans in batches, independently of requests; an unreachable collector costs spans, never memory or latency. */
export function createSpanExport(env: TracingEnv, { log, version }: { log: Log; version: string }) {
  const stats: SpanExportStats = { exported: 0, dropped: 0, waiting: 0 };
  let warnedAtMs = Number.NEGATIVE_INFINITY;

  function lost(count: number, reason: string): void {
    stats.dropped += count;
    if (performance.now() - warnedAtMs < WARN_EVERY_MS) return;
    warnedAtMs = performance.now();
    log.warn({ reason, dropped: stats.dropped }, "spans could not be exported");
  }

  const batches = new BatchSpanProcessor({
    exporter: counted(new OTLPTraceExporter(), (spans, error) => {
      stats.waiting -= spans;
      if (error === null) stats.exported += spans;
      else lost(spans, error);
    }),
    maxQueueSize: MOST_WAITING,
    scheduledDelayMillis: 1_000,
  });
  const bounded: SpanProcessor = {
    onStart: () => undefined,
    onEnd(span) {
      if (stats.waiting >= MOST_WAITING) return lost(1, "too many wait");
      stats.waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": env.serviceName, "service.version": version }),
    sampler: samplerOf(env),
    spanProcessors: [bounded],
  });
  return {
    provider,
    stats: (): SpanExportStats => ({ ...stats }),
    async close(): Promise<void> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

/** Reports the number of spans of each export, and its error if it failed. */
function counted(exporter: SpanExporter, told: (spans: number, error: string | null) => void): SpanExporter {
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        told(spans.length, result.code === ExportResultCode.SUCCESS ? null : (result.error?.message ?? "unknown"));
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables, general SDK configuration. */
function samplerOf({ sampler: name, share }: TracingEnv): Sampler {
  const root = name.endsWith("traceidratio")
    ? new TraceIdRatioBasedSampler(share)
    : name.endsWith("always_off")
      ? new AlwaysOffSampler()
      : new AlwaysOnSampler();
  return name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root;
}
