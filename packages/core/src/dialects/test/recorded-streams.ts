import type { Route } from "../dialect.ts";

/** Streams as the providers send them, shortened, with their expected readings. */
export interface RecordedStream {
  name: string;
  route: Route;
  /** The request body that the stream answers. */
  request: Record<string, unknown>;
  stream: string;
  /** The beginning of the terminal event: nothing from here on may be sent early. */
  terminal: string;
  usage: { input: number; output: number; cacheWrite5m: number; cacheWrite1h: number; cacheRead: number };
  /** The usage chunk, which is dropped when we asked for it ourselves. */
  usageChunk?: string;
}

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const data = (body: object) => `data: ${JSON.stringify(body)}\n\n`;

/** Output of a model that looks like the protocol itself. */
export const trickyText =
  'data: [DONE]\n\nevent: message_stop\n"usage":{"output_tokens":999999},"usageMetadata":{"candidatesTokenCount":999999},"finishReason":"STOP","error":{"type":"overloaded_error"} äöü 中文 😀';

const anthropicStart = {
  type: "message_start",
  message: {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5-20250929",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 12,
      cache_creation_input_tokens: 500,
      cache_read_input_tokens: 1000,
      cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 300 },
      output_tokens: 1,
      service_tier: "standard",
    },
  },
};

const anthropicStream =
  event("message_start", anthropicStart) +
  event("ping", { type: "ping" }) +
  event("content_block_start", {
    type: "content_block_start",
    index: 0,
    content_block: { type: "thinking", thinking: "", signature: "" },
  }) +
  event("content_block_delta", { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm, 中文." } }) +
  event("content_block_delta", { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } }) +
  event("content_block_stop", { type: "content_block_stop", index: 0 }) +
  event("content_block_start", { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } }) +
  event("content_block_delta", { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: trickyText } }) +
  event("content_block_stop", { type: "content_block_stop", index: 1 }) +
  event("content_block_start", {
    type: "content_block_start",
    index: 2,
    content_block: { type: "tool_use", id: "toolu_01", name: "get_weather", input: {} },
  }) +
  event("content_block_delta", {
    type: "content_block_delta",
    index: 2,
    delta: { type: "input_json_delta", partial_json: '{"usage":{"output_tokens":7}}' },
  }) +
  event("content_block_stop", { type: "content_block_stop", index: 2 }) +
  event("message_delta", { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null }, usage: { output_tokens: 89 } });

const chunk = (choices: unknown[], rest: object = {}) =>
  data({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1760000000,
    model: "gpt-5-mini-2025-08-07",
    system_fingerprint: null,
    choices,
    usage: null,
    ...rest,
  });
const delta = (body: object, finish_reason: string | null = null) => chunk([{ index: 0, delta: body, logprobs: null, finish_reason }]);

const chatUsageChunk = chunk([], {
  usage: { prompt_tokens: 1100, completion_tokens: 45, total_tokens: 1145, prompt_tokens_details: { cached_tokens: 1024 } },
});
const chatStream =
  ": keep-alive comment\n\n" +
  delta({ role: "assistant", content: "", refusal: null }) +
  delta({ content: "Hello " }) +
  delta({ content: trickyText }) +
  delta({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "get_weather", arguments: "" } }] }) +
  delta({ tool_calls: [{ index: 0, function: { arguments: '{"usage":{"prompt_tokens":7}}' } }] }) +
  delta({}, "tool_calls") +
  chatUsageChunk;

const response = (status: string, rest: object = {}) => ({
  id: "resp_1",
  object: "response",
  status,
  model: "gpt-5-codex",
  output: [],
  usage: null,
  ...rest,
});
const responsesStream =
  event("response.created", { type: "response.created", sequence_number: 0, response: response("in_progress") }) +
  event("response.in_progress", { type: "response.in_progress", sequence_number: 1, response: response("in_progress") }) +
  event("response.output_item.added", {
    type: "response.output_item.added",
    sequence_number: 2,
    output_index: 0,
    item: { id: "msg_1", type: "message", status: "in_progress", role: "assistant", content: [] },
  }) +
  event("response.output_text.delta", { type: "response.output_text.delta", sequence_number: 3, item_id: "msg_1", delta: "Hello " }) +
  event("response.output_text.delta", { type: "response.output_text.delta", sequence_number: 4, item_id: "msg_1", delta: trickyText }) +
  event("response.output_text.done", {
    type: "response.output_text.done",
    sequence_number: 5,
    item_id: "msg_1",
    text: `Hello ${trickyText}`,
  });
const responsesEnd = event("response.completed", {
  type: "response.completed",
  sequence_number: 6,
  response: response("completed", {
    output: [{ type: "message", content: [{ type: "output_text", text: `Hello ${trickyText}` }] }],
    usage: {
      input_tokens: 300,
      input_tokens_details: { cached_tokens: 100 },
      output_tokens: 77,
      output_tokens_details: { reasoning_tokens: 64 },
      total_tokens: 377,
    },
  }),
});

const geminiPart = (parts: unknown[], usageMetadata: object, finishReason?: string) =>
  data({
    candidates: [{ content: { parts, role: "model" }, finishReason, index: 0 }],
    usageMetadata,
    modelVersion: "gemini-2.5-flash",
    responseId: "r1",
  }).replaceAll("\n", "\r\n");
const geminiStream =
  geminiPart([{ text: "Let me think.", thought: true }], { promptTokenCount: 40, totalTokenCount: 50, thoughtsTokenCount: 10 }) +
  geminiPart([{ text: trickyText }], { promptTokenCount: 40, candidatesTokenCount: 5, totalTokenCount: 75, thoughtsTokenCount: 30 }) +
  geminiPart([{ functionCall: { name: "f", args: { usageMetadata: { candidatesTokenCount: 7 }, finishReason: "STOP" } } }], {
    promptTokenCount: 40,
    candidatesTokenCount: 9,
    thoughtsTokenCount: 30,
  });
const geminiEnd = geminiPart(
  [{ text: "" }],
  { promptTokenCount: 40, cachedContentTokenCount: 15, candidatesTokenCount: 12, thoughtsTokenCount: 30, totalTokenCount: 82 },
  "STOP",
);

const messages = [{ role: "user", content: "Hi" }];

export const recordedStreams: readonly RecordedStream[] = [
  {
    name: "anthropic messages",
    route: { dialect: "anthropic", endpoint: "messages" },
    request: { model: "claude-sonnet-4-5", stream: true, max_tokens: 100, messages },
    stream: anthropicStream + event("message_stop", { type: "message_stop" }),
    terminal: "event: message_stop\ndata: ",
    usage: { input: 12, output: 89, cacheWrite5m: 200, cacheWrite1h: 300, cacheRead: 1000 },
  },
  {
    name: "openai chat",
    route: { dialect: "openai", endpoint: "chat" },
    request: { model: "gpt-5-mini", stream: true, messages },
    stream: `${chatStream}data: [DONE]\n\n`,
    terminal: "\ndata: [DONE]\n",
    usage: { input: 76, output: 45, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 1024 },
    usageChunk: chatUsageChunk,
  },
  {
    name: "openai responses",
    route: { dialect: "openai", endpoint: "responses" },
    request: { model: "gpt-5-codex", stream: true, input: "Hi" },
    stream: responsesStream + responsesEnd,
    terminal: "event: response.completed",
    usage: { input: 200, output: 77, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 100 },
  },
  {
    name: "gemini",
    route: { dialect: "gemini", endpoint: "generateContent", model: "gemini-2.5-flash", stream: true },
    request: { contents: [{ role: "user", parts: [{ text: "Hi" }] }] },
    stream: geminiStream + geminiEnd,
    terminal: '"finishReason":"STOP","index"',
    usage: { input: 25, output: 42, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 15 },
  },
];
