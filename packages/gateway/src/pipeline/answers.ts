import type { Conversion } from "@sluice/core/dialects/conversion/convert";
import type { Envelope, Reading } from "@sluice/core/dialects/dialect";
import { SluiceError, toSluiceError } from "@sluice/core/errors";
import { credentialsOfHeaders, maskTexts } from "@sluice/core/mask-texts";
import type { EgressResponse } from "@sluice/egress/contract";
import type { ProviderConfig } from "@sluice/snapshot/config";
import { type Call, elapsed, type StreamAnswer, type WholeAnswer } from "../call.ts";
import { billedUsage } from "../charge.ts";
import type { Runtime } from "../context.ts";
import { conversionHeaders, type Spoken } from "../conversion.ts";
import { largeAnswerMeter } from "../large-answer.ts";
import { StreamRelay } from "../stream-relay.ts";
import { applyErrorRule } from "./apply-error-rule.ts";
import { settleAttempt } from "./attempt-outcome.ts";

/** Why a provider had no answer for the client. */
export interface Failure {
  error: SluiceError;
  /** What it produced nevertheless. */
  reading: Reading | null;
  /** Its own error answer, passed on when no other provider does better. */
  answer: WholeAnswer | null;
  /** A rule asks for one more attempt at the same provider. */
  retry?: boolean;
}

/** How much of a provider's error body is read. */
const errorBytes = 256 * 1024;

interface Asked {
  spoken: Spoken;
  envelope: Envelope;
  /** We asked for the usage chunk; the client did not. */
  asksUsage: boolean;
}

const eventStreamType = /^text\/event-stream\b/i;
/** What servers call a body that they do not know. Clients that asked for a stream read it as one, whatever it is called. */
const untyped = /^(?:(?:text\/plain|application\/octet-stream)\b.*)?$/i;

/** Reads a success: sets `call.answer` when there is something for the client, otherwise returns why not. */
export function readAnswer(runtime: Runtime, call: Call, response: EgressResponse, asked: Asked): Promise<Failure | null> {
  const type = response.headers["content-type"] ?? "";
  const isStream = eventStreamType.test(type) || (asked.envelope.stream && untyped.test(type));
  if (isStream && asked.spoken.conversion && !asked.envelope.stream) {
    return Promise.resolve(unusable(response, "a stream that nobody asked for"));
  }
  return isStream ? readStream(runtime, call, response, asked) : readWhole(runtime, call, response, asked);
}

async function readStream(
  runtime: Runtime,
  call: Call,
  response: EgressResponse,
  { spoken, envelope, asksUsage }: Asked,
): Promise<Failure | null> {
  const { dialect, route, conversion } = spoken;
  const own = dialect.meterStream(route, envelope, { dropUsageChunk: asksUsage, tellsFinish: call.trace !== null });
  const meter = conversion ? conversion.meter(own, (error) => call.dialect.errorEvent(error, call.id, call.row.endpoint)) : own;
  const relay = openRelay(runtime, call, response, meter, false);
  try {
    await relay.committed();
  } catch (thrown) {
    if (call.abort.aborted) {
      // What the provider had already counted (Anthropic reports the input first) has a cost.
      settleAttempt(runtime, call, { error: null, reading: relay.reading });
      throw thrown;
    }
    const failure: Failure = { error: toSluiceError(thrown), reading: relay.reading, answer: null };
    const told = relay.reading.failure;
    return told ? applyErrorRule(call, { ...failure, status: response.status, text: told.message, failsOver: true }) : failure;
  }
  deliver(runtime, call, { relay, inBand: true, status: response.status, headers: answerHeaders(call, response, spoken, eventStream) });
  return null;
}

const eventStream = "text/event-stream; charset=utf-8";

/** The provider's headers for this client; a converted answer gets the client's own content type. */
function answerHeaders(call: Call, response: EgressResponse, spoken: Spoken, type: string): Record<string, string> {
  const headers = call.dialect.clientHeaders(response.headers);
  return spoken.conversion ? { ...headers, "content-type": type, ...conversionHeaders(spoken) } : headers;
}

/** A successful response that cannot become an answer in the client's dialect. */
function unusable(response: EgressResponse, what: string): Failure {
  response.body.on("error", () => undefined).destroy();
  const error = new SluiceError("upstream_error", { detail: `HTTP ${response.status} with ${what}` });
  return { error, reading: null, answer: null };
}

function openRelay(
  runtime: Runtime,
  call: Call,
  response: EgressResponse,
  meter: ConstructorParameters<typeof StreamRelay>[1],
  endIsTerminal: boolean,
): StreamRelay {
  const { deadlines, limits } = runtime;
  const { body } = response;
  // Egress stops listening once the upstream has sent everything; what still waits for the client has to end too.
  call.abort.addEventListener("abort", () => body.destroy(call.abort.reason as Error));
  return new StreamRelay(body, meter, {
    deadlines,
    holdBytes: limits.holdBytes,
    holdMs: limits.holdMs,
    stalledClientMs: limits.stalledClientMs,
    endIsTerminal,
    onData: (reading) => observe(runtime, call, reading),
    onStalled: () => call.res.destroy(),
  });
}

function deliver(runtime: Runtime, call: Call, stream: Omit<StreamAnswer, "kind">): void {
  call.answer = { kind: "stream", ...stream };
  bindSession(runtime, call);
}

/** Binds the conversation to the provider that serves it, unless a rule named the provider: then the binding would outlive the rule. */
function bindSession(runtime: Runtime, call: Call): void {
  if (call.detail.decision.rule?.provider !== undefined) return;
  if (call.row.sessionId !== "" && call.provider && call.config.settings["routing.stickySeconds"] > 0) {
    runtime.admission.sticky.bind(call.row.sessionId, call.provider.id);
  }
}

/** At first content and periodically after it: records what to bill if this process dies, and updates live views. */
function observe(runtime: Runtime, call: Call, reading: Reading): void {
  const { attempt, row, provider } = call;
  if (!reading.hasContent || !attempt || !provider) return;
  const now = runtime.clock.monotonic();
  const isFirst = attempt.firstContentMs === null;
  if (isFirst) {
    attempt.firstContentMs = elapsed(runtime, call);
    row.ttftMs = attempt.firstContentMs;
    runtime.admission.loads.answered(provider.id, attempt.firstContentMs - attempt.startedMs);
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

async function readWhole(runtime: Runtime, call: Call, response: EgressResponse, { spoken, envelope }: Asked): Promise<Failure | null> {
  const { dialect, route, conversion } = spoken;
  const { parts, length, whole } = await response.collect(runtime.limits.answerBytes);
  if (!whole && conversion) return unusable(response, "an answer too large to be converted");
  if (!whole) {
    const relay = openRelay(runtime, call, response, largeAnswerMeter(parts, { dialect, route, envelope }), true);
    response.body.resume();
    await relay.committed();
    deliver(runtime, call, { relay, inBand: false, status: response.status, headers: answerHeaders(call, response, spoken, "") });
    return null;
  }
  const body = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, length);
  const reading = dialect.readAnswer(body, route, envelope);
  if (!reading.complete && !reading.failure) return unusable(response, "a body that is not an answer");
  const error = reading.failure ? new SluiceError(reading.failure.code, { message: reading.failure.message }) : null;
  if (error && reading.failure?.retryable) {
    const text = body.toString("utf8", 0, 4_096);
    return applyErrorRule(call, { error, reading, answer: null, status: response.status, text, failsOver: true });
  }
  const given = conversion ? convertedWhole(call, conversion, { body, reading, error }) : body;
  if (!given) return unusable(response, "a body that cannot be converted");
  const type = !error && envelope.stream ? eventStream : "application/json";
  const status = conversion && error ? error.status : response.status;
  call.answer = { kind: "whole", status, headers: answerHeaders(call, response, spoken, type), body: given, reading, error };
  if (!error) bindSession(runtime, call);
  return null;
}

function convertedWhole(
  call: Call,
  conversion: Conversion,
  { body, reading, error }: { body: Buffer; reading: Reading; error: SluiceError | null },
): Buffer | null {
  return error ? Buffer.from(call.dialect.errorBody(error, call.id)) : conversion.answer(body, reading);
}

/**
 * An error answer. Errors caused by the client end the request here and are passed on unchanged. Others let the next provider
 * try, and are passed on only when none is left and they do not concern our credentials.
 */
export async function readErrorAnswer(
  call: Call,
  response: EgressResponse,
  { provider, secret, spoken, hasFailed }: { provider: ProviderConfig; secret: string; spoken: Spoken; hasFailed: boolean },
): Promise<Failure | null> {
  const { body, unread } = await readErrorBody(call, response);
  const { status, headers } = response;
  // Quotes go to the client and into the record, and some providers repeat the request's credentials in their error.
  const text = body.toString("utf8");
  const masked = maskTexts([secret, ...credentialsOfHeaders(provider.headers ?? {})])(text);
  const echoed = masked !== text;
  const quotable = echoed ? Buffer.from(masked) : body;
  const meaning = spoken.dialect.readError(status, headers, quotable);
  const error = new SluiceError(meaning.code, {
    ...(meaning.failover || unread ? {} : { message: meaning.message }),
    detail: `${provider.name}: HTTP ${status}: ${unread || meaning.message}`,
    ...(meaning.retryAfterS === null ? {} : { retryAfterS: meaning.retryAfterS }),
  });
  const isJson = /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers["content-type"] ?? "");
  const isOurs = unread !== "" || spoken.conversion !== null;
  const mayPass = status >= 400 && meaning.code !== "upstream_auth" && (unread !== "" || (isJson && body.length > 0 && !echoed));
  const answer: WholeAnswer | null = mayPass
    ? {
        kind: "whole",
        status: spoken.conversion ? error.status : status,
        headers: withRetryAfter(
          { ...answerHeaders(call, response, spoken, "application/json"), ...(isOurs && { "content-type": "application/json" }) },
          meaning.retryAfterS,
        ),
        // In the client's dialect, with the provider's words if there are any.
        body: isOurs
          ? Buffer.from(call.dialect.errorBody(new SluiceError(meaning.code, unread ? {} : { message: meaning.message }), call.id))
          : body,
        reading: null,
        error,
      }
    : null;
  const failsOver = meaning.failover || (spoken.conversion !== null && hasFailed);
  return applyErrorRule(call, { error, reading: null, answer, status, text: quotable.toString("utf8", 0, 4_096), failsOver });
}

/** The body of an error, or why it was not read (cut off, too long or not decodable): the status alone tells enough. */
async function readErrorBody(call: Call, response: EgressResponse): Promise<{ body: Buffer; unread: string }> {
  try {
    const { parts, length, whole } = await response.collect(errorBytes);
    if (whole) return { body: Buffer.concat(parts, length), unread: "" };
    response.body.on("error", () => undefined).destroy();
    return { body: Buffer.alloc(0), unread: `a body of more than ${errorBytes} bytes` };
  } catch (thrown) {
    if (call.abort.aborted) throw thrown;
    const { detail, message } = toSluiceError(thrown);
    return { body: Buffer.alloc(0), unread: detail || message };
  }
}

/** For providers that state the delay only in the body: clients look for the header. */
function withRetryAfter(headers: Record<string, string>, retryAfterS: number | null): Record<string, string> {
  return retryAfterS === null || headers["retry-after"] !== undefined ? headers : { ...headers, "retry-after": String(retryAfterS) };
}
