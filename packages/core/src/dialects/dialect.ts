import type { ErrorCode, SluiceError } from "../errors.ts";
import type { DialectName, Endpoint, Usage } from "../requests.ts";

/** What a path requests. Gemini has model and streaming in the path, the other dialects in the body. */
export interface Route {
  readonly dialect: DialectName;
  readonly endpoint: Endpoint;
  readonly model?: string;
  readonly stream?: boolean;
}

/** What the gateway needs from a request body, read from the raw bytes; the body itself is forwarded unchanged. */
export interface Envelope {
  model: string;
  stream: boolean;
  /** Byte span of the top-level model string, quotes included; null when the model is in the path. */
  modelSpan: readonly [start: number, end: number] | null;
  /** OpenAI chat streams: whether the client asked for the usage chunk itself. */
  includesUsage: boolean;
  /** Byte span of the value of `stream_options`, for splicing; null when absent. */
  streamOptionsSpan: readonly [start: number, end: number] | null;
  /** The client's own session id ('' = none): Anthropic metadata.user_id, Codex prompt_cache_key / headers, … */
  sessionHint: string;
  /** The maximum output per answer that the client asks for (null = not set), and the number of answers. */
  maxOutputTokens: number | null;
  /** Byte span of that number. */
  maxOutputSpan: readonly [start: number, end: number] | null;
  answers: number;
  /** The longest lifetime of anything to be written to a cache. */
  cacheTtl: "none" | "5m" | "1h";
  /** Input tokens estimated from the body's size (4 bytes per token; each base64 image or file counts as a picture). */
  inputEstimate: number;
}

/** What an answer, or a stream so far, reports. */
export interface Reading {
  usage: Usage;
  /** False: the upstream has not reported usage (yet); bill `estimate`. */
  usageReported: boolean;
  /** An impossible number was clamped. */
  anomaly: boolean;
  /** From content bytes and a constant per dialect (band ±40 %). */
  estimate: Usage;
  /** Whether any content was produced: text, thinking, signature, refusal, tool delta. */
  hasContent: boolean;
  /** The upstream's name for the model; '' until known. */
  upstreamModel: string;
  /** An error inside the answer (`overloaded_error` in a 200 stream, …); null when none. */
  failure: { code: ErrorCode; message: string; retryable: boolean } | null;
  /** Why the answer (or each of several) ended, in the upstream's words; null when unknown or not requested. */
  finishReasons: string[] | null;
  /** Streams: the terminal event was seen. Whole answers: the body was well-formed. */
  complete: boolean;
}

/**
 * Watches one stream in O(1) memory. What `feed` returns may go to the client at once. The meter keeps back the terminal
 * event (`message_stop`, `[DONE]`, `response.completed`, the chunk with finishReason), an unfinished event that may become
 * it (up to 64 KB, then it flows), and a usage chunk that the client did not ask for.
 */
export interface StreamMeter {
  readonly reading: Reading;
  /** Subarrays of the input, in order; copied only where an event was split across chunks. */
  feed(chunk: Buffer): Buffer[];
  /**
   * What was kept back, to be sent once the charge is durable (or when the upstream ended without a terminal event). Call
   * it once, after the upstream has ended and before reading `reading.complete`: a last event without its empty line
   * counts. An unfinished event is left out, so that `errorEvent` may follow. `inOrder` (default false): the upstream closed its answer
   * itself, which some servers do instead of sending the terminal event.
   */
  rest(inOrder?: boolean): Buffer[];
}

/** What an upstream's error status and body mean. */
export interface UpstreamError {
  code: ErrorCode;
  /** The upstream's own words, shortened and with anything like a credential redacted. */
  message: string;
  /** Whether another provider may be tried. */
  failover: boolean;
  countsAgainstProvider: boolean;
  /** Seconds the upstream asks to wait; null when it does not. */
  retryAfterS: number | null;
}

/** Which parts of a body are replaced; `maxOutputTokens` lowers the client's number. */
export interface BodyRewrite {
  model?: string;
  includeUsage?: boolean;
  maxOutputTokens?: number;
}

/** A limit of ours that refused a request, for the headers that clients understand. */
export interface LimitNotice {
  unit: "requests" | "tokens";
  limit: number;
  remaining: number;
  resetAtMs: number;
  nowMs: number;
}

/** Everything the pipeline needs to know about a wire format; code outside core/dialects does not ask which one it is. */
export interface Dialect {
  name: DialectName;
  /** @throws SluiceError invalid_json, duplicate_field, too_deep, missing_model, invalid_request. */
  readEnvelope(body: Buffer, route: Route, headers: Record<string, string | undefined>): Envelope;
  /** The original bytes with only the given parts replaced. `includeUsage` splices stream_options.include_usage. */
  rewriteBody(body: Buffer, envelope: Envelope, rewrite: BodyRewrite): Buffer;
  /** Full URL: base URL as the official SDK takes it, query limited to what the dialect knows (`beta`, `alt`, `pageSize`). */
  upstreamUrl(baseUrl: string, request: { endpoint: Endpoint; model: string; stream: boolean; query: URLSearchParams }): string;
  /** Allowed client headers plus authentication, content-type, `accept-encoding: identity` and our request id (never the client's own). */
  upstreamHeaders(client: Record<string, string | undefined>, secret: string, requestId?: string): Record<string, string>;
  /** Allowed upstream headers for the client (content-type, rate-limit and organisation headers, retry-after). */
  clientHeaders(upstream: Record<string, string>): Record<string, string>;
  /**
   * A meter for one answer stream. `dropUsageChunk`: we requested the usage chunk, the client did not. `tellsFinish`: report
   * `finishReasons` even where that requires inspecting each event.
   */
  meterStream(route: Route, envelope: Envelope, options: { dropUsageChunk: boolean; tellsFinish?: boolean }): StreamMeter;
  /** Reads a whole, successful answer. */
  readAnswer(body: Buffer, route: Route, envelope: Envelope): Reading;
  /** Fields of a whole answer that give its model and usage: all that is kept of an answer too large to be held. */
  answerPaths: readonly string[];
  /** Interprets an upstream's error answer for failover and breaker. Client errors (400, 404, 413, 422) are not failures. */
  readError(status: number, headers: Record<string, string>, body: Buffer): UpstreamError;
  /** The dialect's rate limit headers; {} when it has none. */
  limitHeaders(notice: LimitNotice): Record<string, string>;
  /** The dialect's error body for a client. */
  errorBody(error: SluiceError, requestId: string): string;
  /** The dialect's error within a stream that has begun (a whole SSE event). OpenAI's form depends on the endpoint (default chat). */
  errorEvent(error: SluiceError, requestId: string, endpoint?: Endpoint): string;
  /**
   * The answer of `/v1/models` (or `/v1beta/models`) in this dialect: of models sorted by id, the page that the query asks for.
   * @throws SluiceError invalid_request.
   */
  modelList(models: readonly ListedModel[], query: URLSearchParams): string;
  /** The answer of `/v1/models/{id}`. */
  modelItem(model: ListedModel): string;
}

export interface ListedModel {
  id: string;
  createdAtMs: number;
}

/** Every dialect sends the request id in both of these headers. */
export const requestIdHeaders = ["x-request-id", "request-id"] as const;
