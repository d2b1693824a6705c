import { type ErrorCode, SluiceError } from "../errors.ts";
import type { Endpoint } from "../requests.ts";
import { isContextOverflow } from "./context-overflow.ts";
import type { Dialect, ListedModel } from "./dialect.ts";
import { isCount, noteMaxOutput, readBody, readCommonEnvelope, rewriteBody } from "./envelope.ts";
import { bodyHeaders, clientToUpstream, extendRule, filterHeaders, filterQuery, trimBase, upstreamToClient } from "./headers.ts";
import { asRecord, type JsonRecord } from "./json.ts";
import { chatReader, readOpenaiAnswer, responsesReader } from "./openai-usage.ts";
import { encodeModel } from "./routes.ts";
import { openaiHint } from "./session-hint.ts";
import { createStreamMeter } from "./stream-meter.ts";
import { readUpstreamError } from "./upstream-errors.ts";

const toUpstream = extendRule(clientToUpstream, "openai-organization", "openai-project", "openai-beta", "x-codex-*", "x-openai-*");
const toClient = extendRule(upstreamToClient, "openai-organization", "openai-processing-ms", "openai-version", "openai-model", "x-codex-*");

const paths: Partial<Record<Endpoint, string>> = { chat: "/chat/completions", responses: "/responses", embeddings: "/embeddings" };

/** OpenAI's own codes where it has one; clients compare `code`. */
const codes: Partial<Record<ErrorCode, string>> = {
  missing_key: "invalid_api_key",
  invalid_key: "invalid_api_key",
  key_expired: "invalid_api_key",
  unknown_model: "model_not_found",
  insufficient_credit: "insufficient_quota",
  rate_limited: "rate_limit_exceeded",
  tokens_limited: "rate_limit_exceeded",
  cost_limited: "insufficient_quota",
  in_flight_limited: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
};
const typeByStatus: Record<number, string> = {
  401: "authentication_error",
  402: "insufficient_quota",
  403: "permission_error",
  429: "rate_limit_error",
};

/** OpenAI's four fields, plus the request id and whether to retry. */
function errorObject(error: SluiceError, requestId: string): JsonRecord {
  const type = typeByStatus[error.status] ?? (error.status >= 500 ? "server_error" : "invalid_request_error");
  const { message, field, retryable } = error;
  const code = isContextOverflow(error) ? "context_length_exceeded" : (codes[error.code] ?? error.code);
  return { message, type, param: field ?? null, code, request_id: requestId, retryable };
}

/**
 * Chat's error is the whole body as a chunk. Responses have two events: `error`, whose nested object OpenAI's SDKs throw, and
 * `response.failed`, the only one of the two that Codex reads.
 */
function errorEvent(error: SluiceError, requestId: string, endpoint: Endpoint = "chat"): string {
  if (endpoint !== "responses") return `data: ${errorBody(error, requestId)}\n\n`;
  const nested = errorObject(error, requestId);
  const { code, message, param, request_id, retryable } = nested;
  const response = {
    id: `resp_${requestId.replaceAll("-", "")}`,
    object: "response",
    status: "failed",
    error: nested,
    output: [],
  };
  return (
    `event: error\ndata: ${JSON.stringify({ type: "error", code, message, param, sequence_number: 0, request_id, retryable, error: nested })}\n\n` +
    `event: response.failed\ndata: ${JSON.stringify({ type: "response.failed", sequence_number: 1, response })}\n\n`
  );
}

function errorBody(error: SluiceError, requestId: string): string {
  return JSON.stringify({ error: errorObject(error, requestId) });
}

function listed(model: ListedModel): JsonRecord {
  return { id: model.id, object: "model", created: Math.floor(model.createdAtMs / 1000), owned_by: "sluice" };
}

/**
 * Refuses a background response: it is fetched later from a path that is not served here, and would not be billed, because the first
 * answer has no usage yet. @throws SluiceError invalid_request.
 */
function refuseBackground(background: unknown): void {
  if (background === undefined || background === null || background === false) return;
  const message = "The field 'background' must be false: an answer cannot be fetched later here. Stream it instead.";
  throw new SluiceError("invalid_request", { message, field: "background" });
}

/** OpenAI: Chat Completions, Responses and embeddings. */
export const openai: Dialect = {
  name: "openai",
  readEnvelope(body, route, headers) {
    const reading = readBody(body);
    if (route.endpoint === "responses") refuseBackground(reading.value.background);
    const envelope = readCommonEnvelope(reading, body, route);
    envelope.includesUsage = asRecord(reading.value.stream_options)?.include_usage === true;
    noteMaxOutput(envelope, reading, route.endpoint === "responses" ? ["max_output_tokens"] : ["max_completion_tokens", "max_tokens"]);
    if (isCount(reading.value.n)) envelope.answers = reading.value.n;
    envelope.sessionHint = route.endpoint === "embeddings" ? "" : openaiHint(reading.value, headers);
    return envelope;
  },
  rewriteBody,
  upstreamUrl(baseUrl, { endpoint, model, query }) {
    const base = trimBase(baseUrl);
    if (endpoint === "models") return `${base}/models${model ? `/${encodeModel(model)}` : ""}`;
    return `${base}${paths[endpoint] ?? ""}${filterQuery(query, ["api-version"])}`;
  },
  upstreamHeaders(client, secret, requestId) {
    return { ...filterHeaders(client, toUpstream), ...bodyHeaders(requestId), authorization: `Bearer ${secret}` };
  },
  clientHeaders: (upstream) => filterHeaders(upstream, toClient),
  meterStream(route, envelope, options) {
    return createStreamMeter(route.endpoint === "responses" ? responsesReader(envelope) : chatReader(envelope, options));
  },
  readAnswer: readOpenaiAnswer,
  answerPaths: ["model", "usage"],
  readError: readUpstreamError,
  limitHeaders: ({ unit, limit, remaining, resetAtMs, nowMs }) => ({
    [`x-ratelimit-limit-${unit}`]: String(limit),
    [`x-ratelimit-remaining-${unit}`]: String(remaining),
    [`x-ratelimit-reset-${unit}`]: `${Math.max(1, Math.ceil((resetAtMs - nowMs) / 1000))}s`,
  }),
  errorBody,
  errorEvent,
  // OpenAI's list has no pages.
  modelList: (models) => JSON.stringify({ object: "list", data: models.map(listed) }),
  modelItem: (model) => JSON.stringify(listed(model)),
};
