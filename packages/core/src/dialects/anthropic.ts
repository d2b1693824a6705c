import type { ErrorCode, SluiceError } from "../errors.ts";
import { anthropicReader, readAnthropicAnswer } from "./anthropic-usage.ts";
import { isContextOverflow } from "./context-overflow.ts";
import type { Dialect, Envelope, ListedModel } from "./dialect.ts";
import { noteMaxOutput, readBody, readCommonEnvelope, rewriteBody } from "./envelope.ts";
import { bodyHeaders, clientToUpstream, extendRule, filterHeaders, filterQuery, trimBase, upstreamToClient } from "./headers.ts";
import { asList, asRecord, type JsonRecord } from "./json.ts";
import { pageOf, pageSize } from "./model-pages.ts";
import { encodeModel } from "./routes.ts";
import { anthropicHint } from "./session-hint.ts";
import { createStreamMeter } from "./stream-meter.ts";
import { readUpstreamError } from "./upstream-errors.ts";

const toUpstream = extendRule(
  clientToUpstream,
  "anthropic-version",
  "anthropic-beta",
  "anthropic-dangerous-direct-browser-access",
  "x-claude-code-*",
);
const toClient = extendRule(upstreamToClient, "anthropic-ratelimit-*", "anthropic-organization-id", "anthropic-version");

const typeByStatus: Record<number, string> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  502: "api_error",
  503: "overloaded_error",
  504: "timeout_error",
};
const typeByCode: Partial<Record<ErrorCode, string>> = { spool_unavailable: "api_error", unavailable: "api_error" };

/** Anthropic's type of an error: what its SDKs show as `error.type`. */
function errorType(error: SluiceError): string {
  return typeByCode[error.code] ?? typeByStatus[error.status] ?? (error.status >= 500 ? "api_error" : "invalid_request_error");
}

type CacheTtl = Envelope["cacheTtl"];

/** The longest cache lifetime that these blocks ask for, or the one already known. */
function longestTtl(blocks: unknown, known: CacheTtl): CacheTtl {
  let longest = known;
  for (const block of asList(blocks)) {
    if (longest === "1h") return longest;
    const record = asRecord(block);
    if (!record) continue;
    longest = longerTtl(record.cache_control, longest);
    if (Array.isArray(record.content)) longest = longestTtl(record.content, longest);
  }
  return longest;
}

function longerTtl(control: unknown, known: CacheTtl): CacheTtl {
  const asked = asRecord(control);
  return asked ? (asked.ttl === "1h" ? "1h" : known === "none" ? "5m" : known) : known;
}

function cacheTtlOf(body: JsonRecord): CacheTtl {
  return [body.system, body.tools, body.messages].reduce<CacheTtl>(
    (longest, blocks) => longestTtl(blocks, longest),
    longerTtl(body.cache_control, "none"),
  );
}

const tooLong = "prompt is too long";

/** Anthropic's error shape, extended by our code and whether to retry. */
function errorBody(error: SluiceError, requestId: string): string {
  const { code, retryable } = error;
  const isForeign = isContextOverflow(error) && !error.message.toLowerCase().includes(tooLong);
  const message = isForeign ? `${tooLong}: ${error.message}` : error.message;
  return JSON.stringify({ type: "error", error: { type: errorType(error), message, code, retryable }, request_id: requestId });
}

function listed(model: ListedModel): JsonRecord {
  return { type: "model", id: model.id, display_name: model.id, created_at: new Date(model.createdAtMs).toISOString() };
}

/** Anthropic Messages: `/v1/messages`, `/v1/messages/count_tokens`. */
export const anthropic: Dialect = {
  name: "anthropic",
  readEnvelope(body, route, headers) {
    const reading = readBody(body);
    const envelope = readCommonEnvelope(reading, body, route);
    envelope.sessionHint = anthropicHint(reading.value, headers);
    envelope.cacheTtl = cacheTtlOf(reading.value);
    noteMaxOutput(envelope, reading, ["max_tokens"]);
    return envelope;
  },
  rewriteBody: (body, envelope, { includeUsage: _, ...rewrite }) => rewriteBody(body, envelope, rewrite),
  upstreamUrl(baseUrl, { endpoint, model, query }) {
    const base = trimBase(baseUrl);
    if (endpoint === "models")
      return `${base}/v1/models${model ? `/${encodeModel(model)}` : filterQuery(query, ["limit", "after_id", "before_id"])}`;
    const path = endpoint === "countTokens" ? "/v1/messages/count_tokens" : "/v1/messages";
    return `${base}${path}${filterQuery(query, ["beta"])}`;
  },
  upstreamHeaders(client, secret, requestId) {
    return { "anthropic-version": "2023-06-01", ...filterHeaders(client, toUpstream), ...bodyHeaders(requestId), "x-api-key": secret };
  },
  clientHeaders: (upstream) => filterHeaders(upstream, toClient),
  meterStream: (_route, envelope) => createStreamMeter(anthropicReader(envelope)),
  readAnswer: (body, route, envelope) => readAnthropicAnswer(body, envelope, route.endpoint === "messages"),
  answerPaths: ["model", "usage"],
  readError: readUpstreamError,
  limitHeaders: ({ unit, limit, remaining, resetAtMs }) => ({
    [`anthropic-ratelimit-${unit}-limit`]: String(limit),
    [`anthropic-ratelimit-${unit}-remaining`]: String(remaining),
    [`anthropic-ratelimit-${unit}-reset`]: new Date(resetAtMs).toISOString(),
  }),
  errorBody,
  errorEvent: (error, requestId) => `event: error\ndata: ${errorBody(error, requestId)}\n\n`,
  modelList(models, query) {
    const { page, hasMore } = pageOf(models, {
      size: pageSize(query, "limit"),
      after: query.get("after_id"),
      before: query.get("before_id"),
    });
    return JSON.stringify({
      data: page.map(listed),
      has_more: hasMore,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    });
  },
  modelItem: (model) => JSON.stringify(listed(model)),
};
