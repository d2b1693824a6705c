import type { DialectName, Endpoint } from "../requests.ts";

/** The smallest call that proves an address, a credential and a model: one token of answer where there are answers. */
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
    // `max_completion_tokens` has a floor in newer models, `max_tokens` is refused by them: leave both out.
    if (serves.includes("chat")) return post("chat", { model, messages: hello });
    if (serves.includes("responses")) return post("responses", { model, input: "Hi", store: false });
    return post("embeddings", { model, input: "Hi" });
  },
  gemini: () =>
    post("generateContent", { contents: [{ role: "user", parts: [{ text: "Hi" }] }], generationConfig: { maxOutputTokens: 1 } }),
};

/** A call of `model`, or without one the provider's list of models. `serves` matters to dialects with several APIs. */
export function probeRequest(dialect: DialectName, model: string | undefined, serves: readonly string[] = ["chat"]): ProbeRequest {
  return model === undefined ? { endpoint: "models", method: "GET", body: null } : calls[dialect](model, serves);
}

function post(endpoint: Endpoint, body: object): ProbeRequest {
  return { endpoint, method: "POST", body: JSON.stringify(body) };
}
