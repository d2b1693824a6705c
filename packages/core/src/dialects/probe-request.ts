import type { DialectName, Endpoint } from "../requests.ts";

/** The smallest call that verifies an address, a credential and a model, with minimal output. */
export interface ProbeRequest {
  endpoint: Endpoint;
  method: "GET" | "POST";
  /** null = no body. */
  body: string | null;
}

const hello = [{ role: "user", content: "Hi" }];

const calls: Record<DialectName, (model: string, serves: readonly string[]) => ProbeRequest> = {
  anthropic: (model) => post("messages", { model, max_tokens: 1, messages: hello }),
  openai: (model, serves) => {
    // Newer models have a minimum for `max_completion_tokens` and refuse `max_tokens`, so neither is sent.
    if (serves.includes("chat")) return post("chat", { model, messages: hello });
    if (serves.includes("responses")) return post("responses", { model, input: "Hi", store: false });
    return post("embeddings", { model, input: "Hi" });
  },
  gemini: () =>
    post("generateContent", { contents: [{ role: "user", parts: [{ text: "Hi" }] }], generationConfig: { maxOutputTokens: 1 } }),
};

/** A call of `model`, or without one of the provider's model list. `serves` matters for dialects with several APIs. */
export function probeRequest(dialect: DialectName, model: string | undefined, serves: readonly string[] = ["chat"]): ProbeRequest {
  return model === undefined ? { endpoint: "models", method: "GET", body: null } : calls[dialect](model, serves);
}

function post(endpoint: Endpoint, body: object): ProbeRequest {
  return { endpoint, method: "POST", body: JSON.stringify(body) };
}
