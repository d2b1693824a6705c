import type { RequestRow } from "@sluice/core/requests";

/**
 * The request as a curl command: the same address and model, with placeholders for the key and the content, which is never stored. `path`
 * as the gateway received it; empty while unknown.
 */
export function curlOf(row: Pick<RequestRow, "dialect" | "endpoint" | "model" | "stream">, path: string, baseUrl: string): string {
  const url = baseUrl.replace(/\/+$/, "") + (path || pathOf(row));
  const lines = [`curl ${quoted(url)}`, ...headersOf(row).map((header) => `-H ${header}`)];
  const body = bodyOf(row);
  return (body === null ? lines : [...lines, `-H 'content-type: application/json'`, `-d ${quoted(JSON.stringify(body))}`]).join(" \\\n  ");
}

type Asked = Pick<RequestRow, "dialect" | "endpoint" | "model" | "stream">;

/** Double quotes, so that the shell expands $KEY. */
function headersOf({ dialect }: Asked): string[] {
  if (dialect === "anthropic") return ['"x-api-key: $KEY"', "'anthropic-version: 2023-06-01'"];
  return [dialect === "gemini" ? '"x-goog-api-key: $KEY"' : '"authorization: Bearer $KEY"'];
}

function pathOf({ dialect, endpoint, model, stream }: Asked): string {
  if (endpoint === "models") return dialect === "gemini" ? "/v1beta/models" : "/v1/models";
  if (dialect === "gemini") {
    const generate = stream ? "streamGenerateContent?alt=sse" : "generateContent";
    const verb = endpoint === "countTokens" ? "countTokens" : generate;
    return `/v1beta/models/${encodeURIComponent(model)}:${verb}`;
  }
  if (dialect === "anthropic") return endpoint === "countTokens" ? "/v1/messages/count_tokens" : "/v1/messages";
  return { responses: "/v1/responses", embeddings: "/v1/embeddings" }[endpoint as string] ?? "/v1/chat/completions";
}

function bodyOf({ dialect, endpoint, model, stream }: Asked): object | null {
  if (endpoint === "models") return null;
  if (dialect === "gemini") return { contents: [{ parts: [{ text: "Hello" }] }] };
  const messages = [{ role: "user", content: "Hello" }];
  if (endpoint === "countTokens") return { model, messages };
  if (endpoint === "embeddings") return { model, input: "Hello" };
  const streamed = stream && { stream };
  if (endpoint === "responses") return { model, input: "Hello", ...streamed };
  return { model, ...(dialect === "anthropic" && { max_tokens: 64 }), messages, ...streamed };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
