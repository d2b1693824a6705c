import { SluiceError } from "../errors.ts";
import type { DialectName } from "../requests.ts";
import type { Route } from "./dialect.ts";
import { checkModel } from "./envelope.ts";

type Headers = Record<string, string | string[] | undefined>;

const posts: Record<string, Route> = {
  "/v1/messages": { dialect: "anthropic", endpoint: "messages" },
  "/v1/messages/count_tokens": { dialect: "anthropic", endpoint: "countTokens", stream: false },
  "/v1/chat/completions": { dialect: "openai", endpoint: "chat" },
  "/v1/responses": { dialect: "openai", endpoint: "responses" },
  "/v1/embeddings": { dialect: "openai", endpoint: "embeddings", stream: false },
};

const geminiMethods: Record<string, Pick<Route, "endpoint" | "stream">> = {
  generateContent: { endpoint: "generateContent", stream: false },
  streamGenerateContent: { endpoint: "generateContent", stream: true },
  countTokens: { endpoint: "countTokens", stream: false },
};

/** Google's clients ask for `/v1beta/…`, since @google/genai 3 for `/v1/…` unless told otherwise. */
const geminiCall = /^\/v1\/models\/[^?]+:(?:generateContent|streamGenerateContent|countTokens)(?:\?|$)/;

/** Whose shape an answer to this path should have, errors on unknown paths included. */
export function flavourOf(path: string, headers: Headers = {}): DialectName {
  if (path.startsWith("/v1beta/") || geminiCall.test(path)) return "gemini";
  if (path === "/v1/messages" || path.startsWith("/v1/messages/") || path.startsWith("/v1/messages?")) return "anthropic";
  const isModels = path === "/v1/models" || path.startsWith("/v1/models/") || path.startsWith("/v1/models?");
  if (isModels && (headers["x-goog-api-key"] !== undefined || headers["x-goog-api-client"] !== undefined)) return "gemini";
  if (isModels && (headers["anthropic-version"] !== undefined || headers["x-api-key"] !== undefined)) return "anthropic";
  return "openai";
}

/**
 * A model name out of a path: percent-encoding undone exactly once, slashes kept; null for what no client writes
 * (dot segments, doubled slashes, broken or double encoding, control characters).
 */
function decodeModel(raw: string): string | null {
  let model: string;
  try {
    model = decodeURIComponent(raw);
  } catch {
    return null;
  }
  if (/[%\\?#\p{C}]/u.test(model)) return null;
  if (model.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) return null;
  try {
    return checkModel(model);
  } catch {
    return null;
  }
}

function matchGemini(method: string, path: string, query: URLSearchParams): Route | null {
  if (path === "/v1beta/models") return method === "GET" ? { dialect: "gemini", endpoint: "models", stream: false } : null;
  const prefix = ["/v1beta/models/", "/v1/models/"].find((one) => path.startsWith(one));
  if (!prefix) return null;
  const rest = path.slice(prefix.length);
  const colon = rest.lastIndexOf(":");
  if (method === "GET") {
    const model = decodeModel(rest);
    return model === null ? null : { dialect: "gemini", endpoint: "models", model, stream: false };
  }
  const kind = colon > 0 && Object.hasOwn(geminiMethods, rest.slice(colon + 1)) ? geminiMethods[rest.slice(colon + 1)] : undefined;
  const model = colon > 0 ? decodeModel(rest.slice(0, colon)) : null;
  if (method !== "POST" || !kind || model === null) return null;
  if (kind.stream && query.get("alt") !== "sse") {
    // Without it Google answers one JSON array, which cannot be metered event by event; every SDK sends it.
    throw new SluiceError("invalid_request", { message: "Stream with the query parameter alt=sse.", field: "alt" });
  }
  return { dialect: "gemini", model, ...kind };
}

/**
 * What a request asks for, from its method and target (path with or without query). Paths match exactly: no trailing
 * slash, no encoded or doubled slashes. Null means 404. `/v1/models` has the flavour that the headers ask for.
 * @throws SluiceError invalid_request for a Gemini stream without `alt=sse`.
 */
export function matchRoute(method: string, target: string, headers: Headers = {}): Route | null {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  if (path.startsWith("/v1beta/") || (method === "POST" && geminiCall.test(path)))
    return matchGemini(method, path, new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)));
  if (method === "POST") return Object.hasOwn(posts, path) ? { ...(posts[path] as Route) } : null;
  if (method !== "GET") return null;
  const dialect = flavourOf(path, headers);
  if (path === "/v1/models") return { dialect, endpoint: "models", stream: false };
  if (!path.startsWith("/v1/models/")) return null;
  const model = decodeModel(path.slice("/v1/models/".length));
  return model === null ? null : { dialect, endpoint: "models", model, stream: false };
}

/** A model name as a path segment of an upstream URL; slashes stay. */
export function encodeModel(model: string): string {
  return model.split("/").map(encodeURIComponent).join("/");
}
