import type { IncomingMessage } from "node:http";
import { anthropic } from "./answers/anthropic.ts";
import { gemini } from "./answers/gemini.ts";
import { openaiChat } from "./answers/openai-chat.ts";
import { openaiResponses } from "./answers/openai-responses.ts";
import type { Speaker } from "./answers/plan.ts";

/** One request as the provider parsed it. */
export interface Call {
  dialect: "anthropic" | "openai" | "gemini";
  endpoint: "messages" | "countTokens" | "chat" | "responses" | "embeddings" | "generateContent" | "models";
  speaker: Speaker;
  model: string;
  stream: boolean;
  includeUsage: boolean;
  maxTokens: number;
  bodyBytes: number;
  body: Record<string, unknown>;
}

const MAX_BODY = 64 * 1024 * 1024;

/** The whole request body. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The client's secret, from whichever header or parameter. */
export function secretOf(request: IncomingMessage, url: URL): string {
  const { authorization } = request.headers;
  const bearer = authorization?.startsWith("Bearer ") ? authorization.slice(7) : "";
  const header = request.headers["x-api-key"] ?? request.headers["x-goog-api-key"];
  return bearer || (typeof header === "string" ? header : "") || (url.searchParams.get("key") ?? "");
}

const bodyPaths: Record<string, Pick<Call, "dialect" | "endpoint" | "speaker">> = {
  "/v1/messages": { dialect: "anthropic", endpoint: "messages", speaker: anthropic },
  "/v1/messages/count_tokens": { dialect: "anthropic", endpoint: "countTokens", speaker: anthropic },
  "/v1/chat/completions": { dialect: "openai", endpoint: "chat", speaker: openaiChat },
  "/v1/responses": { dialect: "openai", endpoint: "responses", speaker: openaiResponses },
  "/v1/embeddings": { dialect: "openai", endpoint: "embeddings", speaker: openaiChat },
};

function parse(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function maxTokensOf(body: Record<string, unknown>): number {
  const config = body.generationConfig as Record<string, unknown> | undefined;
  const asked = body.max_tokens ?? body.max_completion_tokens ?? body.max_output_tokens ?? config?.maxOutputTokens;
  return typeof asked === "number" && asked > 0 ? asked : Number.POSITIVE_INFINITY;
}

/** The speaker of a path; errors on the path use its dialect. */
export function speakerOf(path: string): Speaker {
  if (path.startsWith("/v1beta/") || path.startsWith("/v1/models/")) return gemini;
  return path.startsWith("/v1/messages") ? anthropic : openaiChat;
}

/** Parses a request; null when the path is unknown or the body is not a JSON object. */
export function readCall(url: URL, raw: Buffer): Call | null {
  const body = parse(raw);
  if (!body) return null;
  const rest = { body, bodyBytes: raw.length, maxTokens: maxTokensOf(body) };
  const known = Object.hasOwn(bodyPaths, url.pathname) ? bodyPaths[url.pathname] : undefined;
  if (known) {
    const options = body.stream_options as Record<string, unknown> | undefined;
    return {
      ...known,
      ...rest,
      model: String(body.model ?? ""),
      stream: body.stream === true,
      includeUsage: options?.include_usage === true,
    };
  }
  const match = /^\/v1(?:beta)?\/models\/(.+):(generateContent|streamGenerateContent|countTokens)$/.exec(url.pathname);
  if (!match) return null;
  return {
    ...rest,
    dialect: "gemini",
    endpoint: match[2] === "countTokens" ? "countTokens" : "generateContent",
    speaker: gemini,
    model: decodeURIComponent(match[1] ?? ""),
    stream: match[2] === "streamGenerateContent",
    includeUsage: true,
  };
}
