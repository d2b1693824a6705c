import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { templateOf } from "@sluice/core/dialects/routes";
import type { Log } from "@sluice/core/log";
import type { Attempt, DialectName, Endpoint, RequestRow, Usage } from "@sluice/core/requests";
import type { Trace, Tracer } from "@sluice/gateway/tracing";
import type { TracingEnv } from "./env.ts";
import { createSpanExport, type SpanExportStats } from "./span-export.ts";

export interface Tracing {
  tracer: Tracer;
  stats(): SpanExportStats;
  /** Sends the waiting spans, for at most two seconds. */
  close(): Promise<void>;
}

const propagator = new W3CTraceContextPropagator();

/**
 * OpenTelemetry: a request is a span of kind server, each attempt a span inside it, and the call to the provider a client span inside
 * that, with attributes of the semantic conventions for generative AI. It continues the client's trace, and the provider's spans continue
 * this one. The standard OTEL_* variables set the endpoint and the sampling.
 */
export function startTracing(env: TracingEnv, parts: { log: Log; version: string }): Tracing {
  const { provider, stats, close } = createSpanExport(env, parts);
  const otel = provider.getTracer("sluice", parts.version);

  function begin(call: Parameters<Tracer["begin"]>[0]): Trace {
    const route = templateOf(call.path);
    const method = call.req.method ?? "";
    const parent = propagator.extract(ROOT_CONTEXT, call.headers, defaultTextMapGetter);
    const { id, startedAtMs } = call.row;
    const attributes = { "http.request.method": method, "http.route": route, "sluice.request_id": id };
    const request = otel.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, startTime: startedAtMs, attributes }, parent);
    const within = trace.setSpan(parent, request);
    const asked = new Map<Attempt, { attempt: Span; upstream: Span }>();

    function openAttempt(attempt: Attempt): { span: Span; context: Context } {
      const startTime = startedAtMs + attempt.startedMs;
      const span = otel.startSpan("attempt", { startTime, attributes: { "sluice.provider_id": attempt.providerId } }, within);
      return { span, context: trace.setSpan(within, span) };
    }

    return {
      asks(attempt) {
        const { span, context } = openAttempt(attempt);
        const name = `${operations[call.row.endpoint]} ${attempt.upstreamModel}`;
        const upstream = otel.startSpan(name, { kind: SpanKind.CLIENT }, context);
        asked.set(attempt, { attempt: span, upstream });
        const headers: Record<string, string> = {};
        propagator.inject(trace.setSpan(context, upstream), headers, defaultTextMapSetter);
        return headers;
      },
      ended({ row, detail, provider: last, answer }) {
        const reading = answer?.kind === "stream" ? answer.relay.reading : answer?.reading;
        const nowMs = Date.now();
        for (const attempt of detail.attempts) {
          const spans = asked.get(attempt) ?? { attempt: openAttempt(attempt).span, upstream: null };
          const endMs = attempt.endedMs < 0 ? nowMs : startedAtMs + attempt.endedMs;
          const dialect = last?.id === attempt.providerId ? last.dialect : row.dialect;
          const finishReasons = attempt.outcome === "ok" ? reading?.finishReasons?.filter((word) => word !== undefined) : undefined;
          const attributes = attributesOfCall(row, attempt, { dialect, finishReasons });
          endSpan(spans.upstream, { attributes, error: attempt.errorCode, endMs });
          endSpan(spans.attempt, { attributes: { "sluice.outcome": attempt.outcome }, error: attempt.errorCode, endMs });
        }
        endSpan(request, {
          attributes: { ...attributesOfRow(row), "http.response.status_code": row.status },
          // A client error is not a server error (semantic conventions for HTTP).
          error: row.status >= 500 || row.state === "error" ? row.errorCode : "",
          endMs: row.durationMs === null ? nowMs : startedAtMs + row.durationMs,
        });
      },
    };
  }

  return { tracer: { begin }, stats, close };
}

function endSpan(span: Span | null, { attributes, error, endMs }: { attributes: Attributes; error: string; endMs: number }): void {
  if (!span) return;
  span.setAttributes(attributes);
  if (error !== "") span.setAttribute("error.type", error).setStatus({ code: SpanStatusCode.ERROR });
  span.end(endMs);
}

const operations: Record<Endpoint, string> = {
  messages: "chat",
  chat: "chat",
  responses: "chat",
  generateContent: "generate_content",
  embeddings: "embeddings",
  countTokens: "count_tokens",
  models: "list_models",
};

const providerNames: Record<DialectName, string> = { anthropic: "anthropic", openai: "openai", gemini: "gcp.gemini" };

/** https://github.com/open-telemetry/semantic-conventions-genai, client inference. */
function attributesOfCall(
  row: RequestRow,
  attempt: Attempt,
  { dialect, finishReasons }: { dialect: DialectName; finishReasons: string[] | undefined },
): Attributes {
  return {
    "gen_ai.operation.name": operations[row.endpoint],
    "gen_ai.provider.name": providerNames[dialect],
    "gen_ai.request.model": attempt.upstreamModel,
    "gen_ai.request.stream": row.stream,
    ...(attempt.outcome === "ok" && row.upstreamModel !== "" && { "gen_ai.response.model": row.upstreamModel }),
    ...(finishReasons && { "gen_ai.response.finish_reasons": finishReasons }),
    ...(attempt.firstContentMs !== null && {
      "gen_ai.response.time_to_first_chunk": (attempt.firstContentMs - attempt.startedMs) / 1_000,
    }),
    ...(attempt.status !== null && { "http.response.status_code": attempt.status }),
    ...attributesOfUsage(attempt.usage),
  };
}

function attributesOfRow(row: RequestRow): Attributes {
  return {
    ...(row.model !== "" && { "gen_ai.request.model": row.model }),
    ...(row.sessionId !== "" && { "gen_ai.conversation.id": row.sessionId }),
    "gen_ai.operation.name": operations[row.endpoint],
    "sluice.key_id": row.keyId,
    "sluice.user_id": row.userId,
    ...attributesOfUsage(row.usage),
  };
}

/** In these conventions, input includes the tokens read from and written to a cache. */
function attributesOfUsage({ input, output, cacheRead, cacheWrite5m, cacheWrite1h }: Usage): Attributes {
  const cacheWrite = cacheWrite5m + cacheWrite1h;
  return {
    "gen_ai.usage.input_tokens": input + cacheRead + cacheWrite,
    "gen_ai.usage.output_tokens": output,
    "gen_ai.usage.cache_read.input_tokens": cacheRead,
    "gen_ai.usage.cache_write.input_tokens": cacheWrite,
  };
}
