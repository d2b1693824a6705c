import { type Frame, oddify, type Plan, type Speaker, size } from "./plan.ts";

const finishReasons = { stop: "stop", length: "length", tool: "tool_calls" } as const;
const types: Record<number, [type: string, code: string | null]> = {
  400: ["invalid_request_error", null],
  401: ["invalid_request_error", "invalid_api_key"],
  404: ["invalid_request_error", "model_not_found"],
  429: ["requests", "rate_limit_exceeded"],
};

/** OpenAI's counts: tokens read from or written to the cache are part of the prompt tokens. */
function chatUsage(plan: Plan): Record<string, unknown> | undefined {
  const { input, cacheRead, cacheWrite5m } = plan.counts;
  const prompt = input + cacheRead + cacheWrite5m;
  const reasoning = Math.ceil(plan.thinking.reduce((sum, piece) => sum + size(piece), 0) / 4);
  return oddify(plan, {
    prompt_tokens: prompt,
    completion_tokens: plan.counts.output,
    total_tokens: prompt + plan.counts.output,
    prompt_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite5m, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  });
}

function* frames(plan: Plan): Generator<Frame> {
  const chunk = (delta: Record<string, unknown>, finish: string | null = null): string => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
    const body = {
      id: `chatcmpl-${plan.id}`,
      object: "chat.completion.chunk",
      created: plan.createdS,
      model: plan.model,
      system_fingerprint: "fp_fake",
      choices: [choice],
    };
    return `data: ${JSON.stringify(plan.includeUsage ? { ...body, usage: null } : body)}\n\n`;
  };
  yield { text: chunk({ role: "assistant", content: "", refusal: null }), contentBytes: 0 };
  for (const piece of plan.thinking) yield { text: chunk({ reasoning_content: piece }), contentBytes: size(piece) };
  for (const content of plan.text) yield { text: chunk({ content }), contentBytes: size(content) };
  for (const [index, { id, name, pieces }] of plan.tools.entries()) {
    yield { text: chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] }), contentBytes: 0 };
    for (const piece of pieces)
      yield { text: chunk({ tool_calls: [{ index, function: { arguments: piece } }] }), contentBytes: size(piece) };
  }
  yield { text: chunk({}, finishReasons[plan.finish]), contentBytes: 0, closing: true };
  const usage = plan.includeUsage ? chatUsage(plan) : undefined;
  if (usage) {
    const last = {
      id: `chatcmpl-${plan.id}`,
      object: "chat.completion.chunk",
      created: plan.createdS,
      model: plan.model,
      system_fingerprint: "fp_fake",
      choices: [],
      usage,
    };
    yield { text: `data: ${JSON.stringify(last)}\n\n`, contentBytes: 0, final: true };
  }
  yield { text: "data: [DONE]\n\n", contentBytes: 0 };
}

function whole(plan: Plan): Record<string, unknown> {
  const message: Record<string, unknown> = {
    role: "assistant",
    content: plan.text.length > 0 ? plan.text.join("") : null,
    refusal: null,
    annotations: [],
  };
  if (plan.thinking.length > 0) message.reasoning_content = plan.thinking.join("");
  if (plan.tools.length > 0) {
    message.tool_calls = plan.tools.map(({ id, name, pieces }) => ({
      id,
      type: "function",
      function: { name, arguments: pieces.join("") },
    }));
  }
  return {
    id: `chatcmpl-${plan.id}`,
    object: "chat.completion",
    created: plan.createdS,
    model: plan.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasons[plan.finish] }],
    usage: chatUsage(plan),
    service_tier: "default",
    system_fingerprint: "fp_fake",
  };
}

/** The error object of OpenAI's endpoints. */
export function openaiError(status: number, message: string): Record<string, unknown> {
  const [type, code] = types[status] ?? ["server_error", null];
  return { error: { message, type, param: null, code } };
}

const eventErrors = {
  overloaded: { type: "overloaded_error", code: "server_is_overloaded" },
  internal: { type: "server_error", code: null },
  invalid: { type: "invalid_request_error", code: "context_length_exceeded" },
} as const;

/** OpenAI Chat Completions. */
export const openaiChat: Speaker = {
  frames,
  whole,
  errorBody: openaiError,
  errorFrame: (kind) => `data: ${JSON.stringify({ error: { message: `Scripted: ${kind}`, param: null, ...eventErrors[kind] } })}\n\n`,
};
