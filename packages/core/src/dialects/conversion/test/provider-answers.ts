/** Answers and streams as the three kinds of providers send them, written by hand from their documentation. */
import { parseExact } from "../exact-json.ts";
import type { Wire } from "../intermediate.ts";

export interface Said {
  thinking?: string[];
  /** Anthropic's signature, or Responses' encrypted content. */
  sealed?: string;
  redacted?: string;
  /** Several texts are several blocks or parts each. */
  texts?: string[][];
  refusal?: string[];
  calls?: { id: string; name: string; pieces: string[] }[];
  stop?: "end" | "length" | "tool" | "refusal";
  usage?: { input: number; output: number; read: number; write5m: number; write1h: number; reasoning: number };
  /** A chat stream without a usage chunk. */
  saysNoUsage?: boolean;
  /** An error in the middle of the stream. */
  failsWith?: string;
}

type Json = Record<string, unknown>;

const usageOf = (said: Said) => said.usage ?? { input: 100, output: 20, read: 0, write5m: 0, write1h: 0, reasoning: 0 };
const joined = (pieces: readonly string[] = []): string => pieces.join("");
const named = (event: string, body: Json): string => `event: ${event}\ndata: ${JSON.stringify({ type: event, ...body })}\n\n`;
const parse = (text: string): unknown => (text === "" ? {} : parseExact(text));

const anthropicStops = { end: "end_turn", length: "max_tokens", tool: "tool_use", refusal: "refusal" } as const;
const chatStops = { end: "stop", length: "length", tool: "tool_calls", refusal: "content_filter" } as const;

function anthropicUsage(said: Said): Json {
  const { input, output, read, write5m, write1h } = usageOf(said);
  return {
    input_tokens: input,
    cache_creation_input_tokens: write5m + write1h,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h },
    output_tokens: output,
  };
}

function anthropicBlocks(said: Said): { start: Json; deltas: Json[]; whole: Json }[] {
  const blocks: { start: Json; deltas: Json[]; whole: Json }[] = [];
  const { thinking, sealed, redacted, texts = [], refusal, calls = [] } = said;
  if (thinking) {
    const signature = sealed ?? "c2ln";
    blocks.push({
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [...thinking.map((text) => ({ type: "thinking_delta", thinking: text })), { type: "signature_delta", signature }],
      whole: { type: "thinking", thinking: joined(thinking), signature },
    });
  }
  if (redacted) {
    const block = { type: "redacted_thinking", data: redacted };
    blocks.push({ start: block, deltas: [], whole: block });
  }
  for (const pieces of refusal ? [...texts, refusal] : texts) {
    const deltas = pieces.map((text) => ({ type: "text_delta", text }));
    blocks.push({ start: { type: "text", text: "" }, deltas, whole: { type: "text", text: joined(pieces) } });
  }
  for (const { id, name, pieces } of calls) {
    const deltas = ["", ...pieces].map((partial_json) => ({ type: "input_json_delta", partial_json }));
    const start = { type: "tool_use", id, name, input: {} };
    blocks.push({ start, deltas, whole: { ...start, input: parse(joined(pieces)) } });
  }
  return blocks;
}

const anthropicHead = { id: "msg_up", type: "message", role: "assistant", model: "claude-up", stop_sequence: null };

function anthropicAnswer(said: Said): Json {
  const content = anthropicBlocks(said).map(({ whole }) => whole);
  return { ...anthropicHead, content, stop_reason: anthropicStops[said.stop ?? "end"], usage: anthropicUsage(said) };
}

function anthropicStream(said: Said): string {
  const start = { ...anthropicHead, content: [], stop_reason: null, usage: { ...anthropicUsage(said), output_tokens: 1 } };
  let text = named("message_start", { message: start }) + named("ping", {});
  for (const [index, { start: block, deltas }] of anthropicBlocks(said).entries()) {
    text += named("content_block_start", { index, content_block: block });
    for (const delta of deltas) text += named("content_block_delta", { index, delta });
    text += named("content_block_stop", { index });
  }
  if (said.failsWith)
    return `${text}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"${said.failsWith}"}}\n\n`;
  const delta = { stop_reason: anthropicStops[said.stop ?? "end"], stop_sequence: null };
  return text + named("message_delta", { delta, usage: anthropicUsage(said) }) + named("message_stop", {});
}

function chatUsage(said: Said): Json {
  const { input, output, read, write5m, write1h, reasoning } = usageOf(said);
  const prompt = input + read + write5m + write1h;
  return {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: write5m + write1h },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

const chatHead = { id: "chatcmpl-up", created: 1_790_000_000, model: "gpt-up" };

function chatAnswer(said: Said): Json {
  const { thinking, texts, refusal, calls } = said;
  const message = {
    role: "assistant",
    content: texts ? joined(texts.flat()) : null,
    refusal: refusal ? joined(refusal) : null,
    ...(thinking ? { reasoning_content: joined(thinking) } : {}),
    ...(calls
      ? { tool_calls: calls.map(({ id, name, pieces }) => ({ id, type: "function", function: { name, arguments: joined(pieces) } })) }
      : {}),
  };
  const finish_reason = chatStops[said.stop ?? "end"];
  return {
    ...chatHead,
    object: "chat.completion",
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage: chatUsage(said),
  };
}

function chatStream(said: Said): string {
  const chunk = (choices: Json[], rest: Json = {}): string =>
    `data: ${JSON.stringify({ ...chatHead, object: "chat.completion.chunk", choices, ...rest })}\n\n`;
  const delta = (body: Json, finish_reason: string | null = null): string =>
    chunk([{ index: 0, delta: body, logprobs: null, finish_reason }]);
  let text = `: keep-alive\n\n${delta({ role: "assistant", content: "", refusal: null })}`;
  for (const reasoning_content of said.thinking ?? []) text += delta({ reasoning_content });
  for (const content of (said.texts ?? []).flat()) text += delta({ content });
  for (const refusal of said.refusal ?? []) text += delta({ refusal });
  for (const [index, { id, name, pieces }] of (said.calls ?? []).entries()) {
    text += delta({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
    for (const piece of pieces) text += delta({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  if (said.failsWith) return `${text}data: {"error":{"message":"${said.failsWith}","type":"overloaded_error"}}\n\n`;
  text += delta({}, chatStops[said.stop ?? "end"]);
  if (!said.saysNoUsage) text += chunk([], { usage: chatUsage(said) });
  return `${text}data: [DONE]\n\n`;
}

function responsesItems(said: Said): Json[] {
  const { thinking, sealed, texts, refusal, calls = [] } = said;
  const items: Json[] = [];
  if (thinking) {
    items.push({
      id: "rs_up",
      type: "reasoning",
      summary: [{ type: "summary_text", text: joined(thinking) }],
      encrypted_content: sealed ?? "ZW5j",
    });
  }
  const content = [
    ...(texts ?? []).map((pieces) => ({ type: "output_text", text: joined(pieces), annotations: [], logprobs: [] })),
    ...(refusal ? [{ type: "refusal", refusal: joined(refusal) }] : []),
  ];
  if (content.length > 0) items.push({ id: "msg_up", type: "message", status: "completed", role: "assistant", content });
  for (const { id, name, pieces } of calls) {
    items.push({ id: `fc_${id}`, type: "function_call", status: "completed", call_id: id, name, arguments: joined(pieces) });
  }
  return items;
}

function responsesAnswer(said: Said): Json {
  const { input, output, read, write5m, write1h, reasoning } = usageOf(said);
  const total = input + read + write5m + write1h;
  const incomplete = said.stop === "length" ? "max_output_tokens" : said.stop === "refusal" && !said.refusal ? "content_filter" : null;
  return {
    id: "resp_up",
    object: "response",
    created_at: 1_790_000_000,
    status: incomplete ? "incomplete" : "completed",
    incomplete_details: incomplete ? { reason: incomplete } : null,
    error: null,
    model: "gpt-up",
    output: responsesItems(said),
    usage: {
      input_tokens: total,
      input_tokens_details: { cached_tokens: read, cache_write_tokens: write5m + write1h },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: total + output,
    },
  };
}

function responsesStream(said: Said): string {
  let sequence = 0;
  const emit = (type: string, body: Json): string => named(type, { sequence_number: sequence++, ...body });
  const final = responsesAnswer(said);
  const begun = { ...final, status: "in_progress", output: [], usage: null, incomplete_details: null };
  let text = emit("response.created", { response: begun }) + emit("response.in_progress", { response: begun });
  for (const [output_index, item] of responsesItems(said).entries()) {
    text += emit("response.output_item.added", {
      output_index,
      item: { ...item, content: [], summary: [], arguments: "", encrypted_content: "" },
    });
    text += responsesDeltas(said, item, output_index, emit);
    text += emit("response.output_item.done", { output_index, item });
  }
  if (said.failsWith) return text + emit("error", { code: "server_is_overloaded", message: said.failsWith, param: null });
  return text + emit(`response.${String(final.status)}`, { response: final });
}

function responsesDeltas(said: Said, item: Json, output_index: number, emit: (type: string, body: Json) => string): string {
  const at = { item_id: item.id, output_index };
  if (item.type === "reasoning") {
    const deltas = (said.thinking ?? []).map((delta) => emit("response.reasoning_summary_text.delta", { ...at, summary_index: 0, delta }));
    return emit("response.reasoning_summary_part.added", { ...at, summary_index: 0 }) + joined(deltas);
  }
  if (item.type === "function_call") {
    const call = said.calls?.find(({ id }) => id === item.call_id);
    return joined((call?.pieces ?? []).map((delta) => emit("response.function_call_arguments.delta", { ...at, delta })));
  }
  let text = "";
  for (const [content_index, pieces] of (said.texts ?? []).entries()) {
    text += emit("response.content_part.added", { ...at, content_index, part: { type: "output_text", text: "" } });
    for (const delta of pieces) text += emit("response.output_text.delta", { ...at, content_index, delta });
    text += emit("response.output_text.done", { ...at, content_index, text: joined(pieces) });
  }
  const content_index = said.texts?.length ?? 0;
  for (const delta of said.refusal ?? []) text += emit("response.refusal.delta", { ...at, content_index, delta });
  return text;
}

export const providerAnswer: Record<Wire, (said: Said) => Json> = {
  anthropic: anthropicAnswer,
  chat: chatAnswer,
  responses: responsesAnswer,
};
export const providerStream: Record<Wire, (said: Said) => string> = {
  anthropic: anthropicStream,
  chat: chatStream,
  responses: responsesStream,
};
