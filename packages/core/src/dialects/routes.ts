import { SluiceError } from "../errors.ts";
import type { DialectName } from "../requests.ts";
import type { Route } from "./dialect.ts";
import { checkModel } from "./envelope.ts";

type Headers = Record<string, string | string[] | undefined>;

const postRoutes: Record<string, Route> = {
  "/v1/messages": { dialect: "anthropic", endpoint: "messages" },
  "/v1/messages/count_tokens": { dialect: "anthropic", endpoint: "countTokens", stream: false },
  "/v1/chat/completions": { dialect: "openai", endpoint: "chat" },
  "/v1/responses": { dialect: "openai", endpoint: "responses" },
  "/v1/embeddings": { dialect: "openai", endpoint: "embeddings", stream: false },
};
/** With the path itself: the same text for all requests, which other maps find without hashing it anew. */
const posts = new Map(Object.entries(postRoutes).map(([path, route]) => [path, { path, route }]));

const geminiMethods: Record<string, Pick<Route, "endpoint" | "stream">> = {
  generateContent: { endpoint: "generateContent", stream: false },
  streamGenerateContent: { endpoint: "generateContent", stream: true },
  countTokens: { endpoint: "countTokens", stream: false },
};

/** Google's clients use `/v1beta/…`; since @google/genai 3 they default to `/v1/…`. */
const geminiCall = /^\/v1(?:beta)?\/models\/.+:(?:generateContent|streamGenerateContent|countTokens)$/;

/** The dialect of answers to this path (without query), including errors on unknown paths. */
export function flavourOf(path: string, headers: Headers = {}): DialectName {
  if (path.startsWith("/v1beta/") || geminiCall.test(path)) return "gemini";
  if (path === "/v1/messages" || path.startsWith("/v1/messages/")) return "anthropic";
  if (posts.has(path)) return "openai";
  // Three dialects have a list at /v1/models, and files and others, which are not served, at the same paths: headers tell their clients.
  if (headers["anthropic-version"] !== undefined || headers["x-api-key"] !== undefined) return "anthropic";
  return headers["x-goog-api-key"] !== undefined || headers["x-goog-api-client"] !== undefined ? "gemini" : "openai";
}

/**
 * A model name from a path: percent-decoded exactly once, slashes kept. Null for what no client writes (dot segments,
 * doubled slashes, broken or double encoding, control characters).
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

/** A call of a Gemini model: `rest` is `{model}:{method}`. */
function matchGeminiCall(rest: string, query: URLSearchParams): Route | null {
  const colon = rest.lastIndexOf(":");
  const method = rest.slice(colon + 1);
  const model = colon > 0 ? decodeModel(rest.slice(0, colon)) : null;
  const kind = Object.hasOwn(geminiMethods, method) ? geminiMethods[method] : undefined;
  if (!kind || model === null) return null;
  if (kind.stream && query.get("alt") !== "sse") {
    // Without it Google answers with one JSON array, which cannot be metered event by event; every SDK sends it.
    throw new SluiceError("invalid_request", { message: "Stream with the query parameter alt=sse.", field: "alt" });
  }
  return { dialect: "gemini", model, ...kind };
}

const modelsPath = /^\/v1(?:beta)?\/models(?:\/|$)/;

/**
 * What a request asks for, from its method and target (path with or without query). Paths match exactly: no trailing
 * slash, no encoded or doubled slashes. Null means 404. For `/v1/models` the headers decide the dialect. Gemini calls are
 * accepted under both of Google's versions: newer clients use `/v1`, older ones and curl `/v1beta`.
 * @throws SluiceError invalid_request for a Gemini stream without `alt=sse`.
 */
export function matchRoute(method: string, target: string, headers: Headers = {}): Route | null {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const post = method === "POST" ? posts.get(path) : undefined;
  if (post) return post.route;
  if (!modelsPath.test(path)) return null;
  const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  const rest = path.slice(path.indexOf("models") + "models/".length);
  if (method === "POST") return matchGeminiCall(rest, query);
  if (method !== "GET" && method !== "HEAD") return null;
  const dialect = query.has("key") ? "gemini" : flavourOf(path, headers);
  if (path === "/v1/models" || path === "/v1beta/models") return { dialect, endpoint: "models", stream: false };
  const model = decodeModel(rest);
  return model === null ? null : { dialect, endpoint: "models", model, stream: false };
}

/** The path (without query) as documented, with `{model}` for any model; `other` for unknown ones, so that there are only a few. */
export function templateOf(path: string): string {
  const post = posts.get(path);
  if (post) return post.path;
  const [, version, rest] = /^\/(v1(?:beta)?)\/models(\/.*)?$/.exec(path) ?? [];
  if (version === undefined) return "other";
  if (!rest) return `/${version}/models`;
  const method = rest.slice(rest.lastIndexOf(":") + 1);
  return Object.hasOwn(geminiMethods, method) ? `/${version}/models/{model}:${method}` : `/${version}/models/{model}`;
}

/** A model name as part of an upstream URL's path; slashes stay. */
export function encodeModel(model: string): string {
  return model.split("/").map(encodeURIComponent).join("/");
}
