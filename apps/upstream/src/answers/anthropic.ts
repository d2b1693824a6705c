import { type Frame, oddify, type Plan, SEAL, type Speaker, size } from "./plan.ts";

const stopReasons = { stop: "end_turn", length: "max_tokens", tool: "tool_use" } as const;
const types: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

const event = (name: string, data: Record<string, unknown>): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

function usageOf(plan: Plan, output: number): Record<string, unknown> {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h } = plan.counts;
  return {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite5m + cacheWrite1h,
    cache_read_input_tokens: cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite5m, ephemeral_1h_input_tokens: cacheWrite1h },
    output_tokens: output,
    service_tier: "standard",
  };
}

function message(
  plan: Plan,
  content: unknown[],
  stopReason: string | null,
  usage: Record<string, unknown> | undefined,
): Record<string, unknown> {
  return {
    id: `msg_${plan.id}`,
    type: "message",
    role: "assistant",
    model: plan.model,
    content,
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
}

interface Block {
  start: Record<string, unknown>;
  deltas: Record<string, unknown>[];
  bytes: (delta: Record<string, unknown>) => number;
}

function blocks(plan: Plan): Block[] {
  const list: Block[] = [];
  if (plan.thinking.length > 0) {
    list.push({
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [...plan.thinking.map((thinking) => ({ type: "thinking_delta", thinking })), { type: "signature_delta", signature: SEAL }],
      bytes: (delta) => size(String(delta.thinking ?? "")),
    });
  }
  if (plan.text.length > 0) {
    list.push({
      start: { type: "text", text: "" },
      deltas: plan.text.map((text) => ({ type: "text_delta", text })),
      bytes: (delta) => size(String(delta.text)),
    });
  }
  for (const { id, name, pieces } of plan.tools) {
    list.push({
      start: { type: "tool_use", id, name, input: {} },
      deltas: pieces.map((partial_json) => ({ type: "input_json_delta", partial_json })),
      bytes: (delta) => size(String(delta.partial_json)),
    });
  }
  return list;
}

function* frames(plan: Plan): Generator<Frame> {
  const start = oddify(plan, usageOf(plan, 1));
  yield { text: event("message_start", { message: message(plan, [], null, start) }), contentBytes: 0, start: true };
  yield { text: event("ping", {}), contentBytes: 0 };
  for (const [index, block] of blocks(plan).entries()) {
    yield { text: event("content_block_start", { index, content_block: block.start }), contentBytes: 0 };
    for (const delta of block.deltas) yield { text: event("content_block_delta", { index, delta }), contentBytes: block.bytes(delta) };
    yield { text: event("content_block_stop", { index }), contentBytes: 0 };
  }
  const delta = { stop_reason: stopReasons[plan.finish], stop_sequence: null };
  yield {
    text: event("message_delta", { delta, usage: oddify(plan, usageOf(plan, plan.counts.output)) }),
    contentBytes: 0,
    closing: true,
    final: true,
  };
  yield { text: event("message_stop", {}), contentBytes: 0 };
}

function whole(plan: Plan): Record<string, unknown> {
  const content: unknown[] = [];
  if (plan.thinking.length > 0) content.push({ type: "thinking", thinking: plan.thinking.join(""), signature: SEAL });
  if (plan.text.length > 0) content.push({ type: "text", text: plan.text.join("") });
  for (const { id, name, input } of plan.tools) content.push({ type: "tool_use", id, name, input });
  return message(plan, content, stopReasons[plan.finish], oddify(plan, usageOf(plan, plan.counts.output)));
}

const errorOf = (type: string, text: string) => ({ type: "error", error: { type, message: text }, request_id: "req_upstream" });
const eventTypes = { overloaded: "overloaded_error", internal: "api_error", invalid: "invalid_request_error" } as const;

/** Anthropic Messages. */
export const anthropic: Speaker = {
  frames,
  whole,
  errorBody: (status, text) => errorOf(types[status] ?? "api_error", text),
  errorFrame: (kind) => `event: error\ndata: ${JSON.stringify(errorOf(eventTypes[kind], `Scripted: ${kind}`))}\n\n`,
};
