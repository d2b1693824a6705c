import type { ErrorCode, SluiceError } from "../errors.ts";
import type { DialectName, Endpoint, Usage } from "../requests.ts";

/** What a path asks for. Gemini says model and streaming in the path; the others in the body. */
export interface Route {
  dialect: DialectName;
  endpoint: Endpoint;
  model?: string;
  stream?: boolean;
}

/** What the gateway needs of a request body, read from the raw bytes; the body itself is forwarded untouched. */
export interface Envelope {
  model: string;
  stream: boolean;
  /** Byte span of the top-level model string, quotes included; null when the model is in the path. */
  modelSpan: readonly [start: number, end: number] | null;
  /** OpenAI chat streams: whether the client asked for the usage chunk itself. */
  includesUsage: boolean;
  /** Where `stream_options` stands, to splice into: its value's byte span, or null when absent. */
  streamOptionsSpan: readonly [start: number, end: number] | null;
  /** The client's own session id ('' = none): Anthropic metadata.user_id, Codex prompt_cache_key / headers, … */
  sessionHint: string;
  /** The most output the client asks for, per answer, and how many answers; null = it does not say. */
  maxOutputTokens: number | null;
  /** Byte span of that number. */
  maxOutputSpan: readonly [start: number, end: number] | null;
  answers: number;
  /** The longest life of what is to be written to a cache. */
  cacheTtl: "none" | "5m" | "1h";
  /** Input tokens guessed from the body's size (4 bytes a token; a base64 image or file counts as a picture). */
  inputEstimate: number;
}

/** What an answer, or a stream so far, says of itself. */
export interface Reading {
  usage: Usage;
  /** False: the upstream has not (yet) said; bill `estimate`. */
  usageReported: boolean;
  /** An impossible number was clamped. */
  anomaly: boolean;
  /** From content bytes and a constant per dialect (band ±40 %). */
  estimate: Usage;
  /** Whether any content was produced: text, thinking, signature, refusal, tool delta. */
  hasContent: boolean;
  /** As the upstream names it, '' until said. */
  upstreamModel: string;
  /** An error inside the answer (`overloaded_error` in a 200 stream, …); null when none. */
  failure: { code: ErrorCode; message: string; retryable: boolean } | null;
  /** Why the answer, or each of several, ended, in the upstream's words; null when it was not said, or nobody looked. */
  finishReasons: string[] | null;
  /** Streams: the terminal event was seen. Whole answers: the body was well-formed. */
  complete: boolean;
}

/**
 * Watches one stream in O(1) memory. What it returns from `feed` may go to the client at once; it keeps back the
 * terminal event (`message_stop`, `[DONE]`, `response.completed`, the chunk with finishReason), an event that may
 * become it (≤ 64 KB, then it flows), and a usage chunk that the client did not ask for.
 */
export interface StreamMeter {
  readonly reading: Reading;
  /** Subarrays of what was fed, in order and never copied unless an event was split. */
  feed(chunk: Buffer): Buffer[];
  /**
   * What was kept back: to be sent once the charge is durable (or when the upstream ended without a terminal event).
   * To be called once, when the upstream has ended, and before `reading.complete` is believed: a last event without
   * its empty line counts. An unfinished event is not in it, so that `errorEvent` may follow.
   */
  rest(): Buffer[];
}

/** What an upstream's error status and body mean. */
export interface UpstreamError {
  code: ErrorCode;
  /** The upstream's own words, shortened, anything like a credential blanked. */
  message: string;
  /** Whether another provider may be tried. */
  failover: boolean;
  countsAgainstProvider: boolean;
  /** Seconds the upstream asked to wait; null when it did not. */
  retryAfterS: number | null;
}

/** What of a body is replaced: `maxOutputTokens` lowers the number that the client gave. */
export interface BodyRewrite {
  model?: string;
  includeUsage?: boolean;
  maxOutputTokens?: number;
}

/** A limit of ours that refused a request, for the headers that clients know of. */
export interface LimitNotice {
  unit: "requests" | "tokens";
  limit: number;
  remaining: number;
  resetAtMs: number;
  nowMs: number;
}

/** Everything the pipeline knows of a wire format; nothing outside core/dialects asks which one it is. */
export interface Dialect {
  name: DialectName;
  /** @throws SluiceError invalid_json, duplicate_field, too_deep, missing_model, invalid_request. */
  readEnvelope(body: Buffer, route: Route, headers: Record<string, string | undefined>): Envelope;
  /** The original bytes with only the given parts replaced. `includeUsage` splices stream_options.include_usage. */
  rewriteBody(body: Buffer, envelope: Envelope, rewrite: BodyRewrite): Buffer;
  /** Full URL: base as the official SDK takes it, query filtered to what the dialect knows (`beta`, `alt`, `pageSize`). */
  upstreamUrl(baseUrl: string, request: { endpoint: Endpoint; model: string; stream: boolean; query: URLSearchParams }): string;
  /** Allow-listed client headers plus authentication, content-type, `accept-encoding: identity` and our request id (the client's own never passes). */
  upstreamHeaders(client: Record<string, string | undefined>, secret: string, requestId?: string): Record<string, string>;
  /** Allow-listed upstream headers for the client (content-type, rate-limit and organisation headers, retry-after). */
  clientHeaders(upstream: Record<string, string>): Record<string, string>;
  /**
   * A meter for one answer stream. `dropUsageChunk`: the usage chunk was asked for by us, not by the client. `tellsFinish`: somebody
   * wants to know `finishReasons` also where that costs a look at each event.
   */
  meterStream(route: Route, envelope: Envelope, options: { dropUsageChunk: boolean; tellsFinish?: boolean }): StreamMeter;
  /** A whole, successful answer. */
  readAnswer(body: Buffer, route: Route, envelope: Envelope): Reading;
  /** Fields of a whole answer that say its model and usage: all that is kept of one too large to be held. */
  answerPaths: readonly string[];
  /** An upstream's error answer: what it means for failover and breaker. Client errors (400, 404, 413, 422) are not failures. */
  readError(status: number, headers: Record<string, string>, body: Buffer): UpstreamError;
  /** The dialect's headers about a rate limit; {} where it has none. */
  limitHeaders(notice: LimitNotice): Record<string, string>;
  /** The dialect's error body for a client. */
  errorBody(error: SluiceError, requestId: string): string;
  /** The dialect's error inside a stream that has begun (whole SSE event text). OpenAI's form differs by endpoint (default chat). */
  errorEvent(error: SluiceError, requestId: string, endpoint?: Endpoint): string;
  /** Answer of `/v1/models` (or `/v1beta/models`) in this flavour. */
  modelList(models: readonly ListedModel[]): string;
  /** Answer of `/v1/models/{id}`. */
  modelItem(model: ListedModel): string;
}

export interface ListedModel {
  id: string;
  createdAtMs: number;
}

/** Name of the header that carries the request id in this dialect is the same everywhere: `x-request-id` and `request-id`. */
export const requestIdHeaders = ["x-request-id", "request-id"] as const;
