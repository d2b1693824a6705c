import type { Envelope, Reading, Route } from "@sluice/core/dialects/dialect";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import type { EgressResponse } from "@sluice/egress/contract";
import type { ProviderConfig } from "@sluice/snapshot/config";
import { type Call, elapsed, type WholeAnswer } from "../call.ts";
import { billedUsage } from "../charge.ts";
import type { Runtime } from "../context.ts";
import { largeAnswerMeter } from "../large-answer.ts";
import { StreamRelay } from "../stream-relay.ts";
import { settleAttempt } from "./attempt-outcome.ts";

/** Why one provider had no answer for the client. */
export interface Failure {
  error: SluiceError;
  /** What it produced nevertheless. */
  reading: Reading | null;
  /** Its own error answer, to be passed on when nobody else does better. */
  answer: WholeAnswer | null;
}

/** A provider's error text is read up to this. */
const errorBytes = 256 * 1024;

interface Asked {
  route: Route;
  envelope: Envelope;
  /** We asked for the usage chunk; the client did not. */
  asksUsage: boolean;
}

/** A success: sets `call.answer` when there is something for the client, or says why not. */
export function readAnswer(runtime: Runtime, call: Call, response: EgressResponse, asked: Asked): Promise<Failure | null> {
  const isStream = /^text\/event-stream\b/i.test(response.headers["content-type"] ?? "");
  return isStream ? readStream(runtime, call, response, asked) : readWhole(runtime, call, response, asked);
}

async function readStream(
  runtime: Runtime,
  call: Call,
  response: EgressResponse,
  { route, envelope, asksUsage }: Asked,
): Promise<Failure | null> {
  const meter = call.dialect.meterStream(route, envelope, { dropUsageChunk: asksUsage });
  const relay = openRelay(runtime, call, response, meter, false);
  try {
    await relay.committed();
  } catch (thrown) {
    if (call.abort.aborted) {
      // What it had already counted (Anthropic's input) cost something.
      settleAttempt(runtime, call, { error: null, reading: relay.reading });
      throw thrown;
    }
    return { error: toSluiceError(thrown), reading: relay.reading, answer: null };
  }
  deliver(runtime, call, response, { relay, inBand: true });
  return null;
}

function openRelay(
  runtime: Runtime,
  call: Call,
  response: EgressResponse,
  meter: ConstructorParameters<typeof StreamRelay>[1],
  endIsTerminal: boolean,
): StreamRelay {
  const { deadlines, limits } = runtime;
  return new StreamRelay(response.body, meter, {
    deadlines,
    holdBytes: limits.holdBytes,
    holdMs: limits.holdMs,
    stalledClientMs: limits.stalledClientMs,
    endIsTerminal,
    onData: (reading) => observe(runtime, call, reading),
    onStalled: () => call.res.destroy(),
  });
}

function deliver(runtime: Runtime, call: Call, response: EgressResponse, stream: { relay: StreamRelay; inBand: boolean }): void {
  call.answer = { kind: "stream", status: response.status, headers: call.dialect.clientHeaders(response.headers), ...stream };
  bindSession(runtime, call);
}

/** The conversation stays with the provider that serves it. */
function bindSession(runtime: Runtime, call: Call): void {
  if (call.row.sessionId !== "" && call.provider && call.config.settings["routing.stickySeconds"] > 0) {
    runtime.admission.sticky.bind(call.row.sessionId, call.provider.id);
  }
}

/** First content, then now and then: what to bill if this process dies, and what watchers see. */
function observe(runtime: Runtime, call: Call, reading: Reading): void {
  const { attempt, row, provider } = call;
  if (!reading.hasContent || !attempt || !provider) return;
  const now = runtime.clock.monotonic();
  const isFirst = attempt.firstContentMs === null;
  if (isFirst) {
    attempt.firstContentMs = elapsed(runtime, call);
    row.ttftMs = attempt.firstContentMs;
  }
  if (isFirst || now - call.progressAt >= runtime.limits.progressMs) {
    call.progressAt = now;
    runtime.ledger.progress({
      id: call.id,
      providerId: provider.id,
      upstreamModel: reading.upstreamModel || attempt.upstreamModel,
      providerMultiplier: provider.costMultiplier,
      ttftMs: row.ttftMs,
      usage: billedUsage(reading),
      estimated: !reading.usageReported,
    });
  }
  if (isFirst || now - call.liveAt >= runtime.limits.liveMs) {
    call.liveAt = now;
    row.usage = billedUsage(reading);
    row.upstreamModel = reading.upstreamModel;
    runtime.registry.progressed({ ...row });
  }
}

async function readWhole(runtime: Runtime, call: Call, response: EgressResponse, { route, envelope }: Asked): Promise<Failure | null> {
  const { parts, length, whole } = await response.collect(runtime.limits.answerBytes);
  if (!whole) {
    const relay = openRelay(runtime, call, response, largeAnswerMeter(parts, envelope.inputEstimate), true);
    response.body.resume();
    await relay.committed();
    deliver(runtime, call, response, { relay, inBand: false });
    return null;
  }
  const body = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, length);
  const reading = call.dialect.readAnswer(body, route, envelope);
  if (!reading.complete && !reading.failure) {
    return {
      error: new SluiceError("upstream_error", { detail: `HTTP ${response.status} with a body that is not an answer` }),
      reading: null,
      answer: null,
    };
  }
  const error = reading.failure ? new SluiceError(reading.failure.code, { message: reading.failure.message }) : null;
  if (error && reading.failure?.retryable) return { error, reading, answer: null };
  call.answer = { kind: "whole", status: response.status, headers: call.dialect.clientHeaders(response.headers), body, reading, error };
  if (!error) bindSession(runtime, call);
  return null;
}

/**
 * An error answer. The client's own errors end the request here and are passed on as they are; the others let the next
 * provider try, and are passed on only when none is left and they say nothing of our credentials.
 */
export async function readErrorAnswer(
  call: Call,
  response: EgressResponse,
  { provider, secret }: { provider: ProviderConfig; secret: string },
): Promise<Failure | null> {
  const { parts, length, whole } = await response.collect(errorBytes);
  if (!whole) response.body.on("error", () => undefined).destroy();
  const body = whole ? Buffer.concat(parts, length) : Buffer.alloc(0);
  const { status, headers } = response;
  const echoed = body.includes(secret);
  // What is quoted of it goes to the client and into the record: some say in an error what they were asked with.
  const quotable = echoed ? Buffer.from(body.toString("utf8").replaceAll(secret, "…")) : body;
  const meaning = call.dialect.readError(status, headers, quotable);
  const error = new SluiceError(meaning.code, {
    ...(meaning.failover ? {} : { message: meaning.message }),
    detail: `${provider.name}: HTTP ${status}: ${meaning.message}`,
    ...(meaning.retryAfterS === null ? {} : { retryAfterS: meaning.retryAfterS }),
  });
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers["content-type"] ?? "");
  const mayPass = status >= 400 && isJson && length > 0 && whole && meaning.code !== "upstream_auth" && !echoed;
  const answer: WholeAnswer | null = mayPass
    ? {
        kind: "whole",
        status,
        headers: withRetryAfter(call.dialect.clientHeaders(headers), meaning.retryAfterS),
        body,
        reading: null,
        error,
      }
    : null;
  if (meaning.failover) return { error, reading: null, answer };
  if (!answer) throw error;
  call.answer = answer;
  return null;
}

/** Providers that say it in the body only: clients look for the header. */
function withRetryAfter(headers: Record<string, string>, retryAfterS: number | null): Record<string, string> {
  return retryAfterS === null || headers["retry-after"] !== undefined ? headers : { ...headers, "retry-after": String(retryAfterS) };
}
