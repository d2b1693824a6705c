import type { SluiceError } from "../errors.ts";
import type { Dialect, Envelope, ListedModel } from "./dialect.ts";
import { type BodyReading, isCount, noteMaxOutput, readBody, readCommonEnvelope, rewriteBody } from "./envelope.ts";
import { geminiReader, readGeminiAnswer } from "./gemini-usage.ts";
import { bodyHeaders, clientToUpstream, extendRule, filterHeaders, filterQuery, trimBase, upstreamToClient } from "./headers.ts";
import { asRecord, type JsonRecord } from "./json.ts";
import { scanObject } from "./json-scan.ts";
import { pageOf, pageSize } from "./model-pages.ts";
import { encodeModel } from "./routes.ts";
import { geminiHint } from "./session-hint.ts";
import { createStreamMeter } from "./stream-meter.ts";
import { readUpstreamError } from "./upstream-errors.ts";

const toUpstream = extendRule(clientToUpstream, "x-goog-api-client", "x-goog-user-project", "x-gemini-*");
const toClient = extendRule(upstreamToClient, "x-gemini-service-tier");

/** google.rpc.Code by HTTP status, following Google's mapping. */
const wordByStatus: Record<number, string> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  402: "FAILED_PRECONDITION",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  410: "NOT_FOUND",
  405: "INVALID_ARGUMENT",
  409: "ABORTED",
  413: "INVALID_ARGUMENT",
  415: "INVALID_ARGUMENT",
  429: "RESOURCE_EXHAUSTED",
  431: "INVALID_ARGUMENT",
  499: "CANCELLED",
  500: "INTERNAL",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** Google's error shape; our code, the request id and whether to retry go into an ErrorInfo, as in google.rpc. */
function errorBody(error: SluiceError, requestId: string): string {
  const { status: code, message, retryable } = error;
  const info = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    reason: error.code.toUpperCase(),
    domain: "sluice",
    metadata: { request_id: requestId, retryable: String(retryable) },
  };
  return JSON.stringify({ error: { code, message, status: wordByStatus[code] ?? "UNKNOWN", details: [info] } });
}

function listed(model: ListedModel): JsonRecord {
  return {
    name: `models/${model.id}`,
    displayName: model.id,
    supportedGenerationMethods: ["generateContent", "streamGenerateContent", "countTokens"],
  };
}

/** Reads `generationConfig` under either of the names that Google's JSON accepts. */
function noteGeminiOutput(envelope: Envelope, { value, scan }: BodyReading, body: Buffer): void {
  const member = scan.members.find(({ name }) => name === "generationConfig" || name === "generation_config");
  const config = member && asRecord(value[member.name]);
  if (!config) return;
  noteMaxOutput(envelope, { value: config, scan: scanObject(body, member.start, member.end) }, ["maxOutputTokens", "max_output_tokens"]);
  const answers = config.candidateCount ?? config.candidate_count;
  if (isCount(answers)) envelope.answers = answers;
}

const methods = { generateContent: "generateContent", countTokens: "countTokens" } as const;

/** Gemini: `:generateContent`, `:streamGenerateContent?alt=sse`, `:countTokens`. */
export const gemini: Dialect = {
  name: "gemini",
  readEnvelope(body, route, headers) {
    const reading = readBody(body);
    const envelope = readCommonEnvelope(reading, body, route);
    noteGeminiOutput(envelope, reading, body);
    envelope.sessionHint = geminiHint(reading.value, headers);
    return envelope;
  },
  // Model and streaming are in the path.
  rewriteBody: (body, envelope, { maxOutputTokens }) => rewriteBody(body, envelope, { maxOutputTokens }),
  upstreamUrl(baseUrl, { endpoint, model, stream, query }) {
    const base = `${trimBase(baseUrl)}/v1beta/models`;
    if (endpoint === "models") return model ? `${base}/${encodeModel(model)}` : `${base}${filterQuery(query, ["pageSize", "pageToken"])}`;
    const method = stream ? "streamGenerateContent" : endpoint === "countTokens" ? methods.countTokens : methods.generateContent;
    return `${base}/${encodeModel(model)}:${method}${stream ? "?alt=sse" : ""}`;
  },
  upstreamHeaders(client, secret, requestId) {
    return { ...filterHeaders(client, toUpstream), ...bodyHeaders(requestId), "x-goog-api-key": secret };
  },
  clientHeaders: (upstream) => filterHeaders(upstream, toClient),
  meterStream: (_route, envelope) => createStreamMeter(geminiReader(envelope)),
  readAnswer: (body, route, envelope) => readGeminiAnswer(body, envelope, route.endpoint === "generateContent"),
  answerPaths: ["modelVersion", "usageMetadata"],
  readError: readUpstreamError,
  limitHeaders: () => ({}),
  errorBody,
  errorEvent: (error, requestId) => `data: ${errorBody(error, requestId)}\n\n`,
  modelList(models, query) {
    const { page, hasMore } = pageOf(models, { size: pageSize(query, "pageSize"), after: query.get("pageToken") || null });
    return JSON.stringify({ models: page.map(listed), ...(hasMore && { nextPageToken: page.at(-1)?.id }) });
  },
  modelItem: (model) => JSON.stringify(listed(model)),
};
