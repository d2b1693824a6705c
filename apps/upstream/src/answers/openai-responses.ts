import { openaiError } from "./openai-chat.ts";
import { type Frame, oddify, type Plan, SEAL, type Speaker, size, type ToolCall } from "./plan.ts";

type Item = Record<string, unknown>;

function usageOf(plan: Plan): Record<string, unknown> | undefined {
  const { cacheRead, cacheWrite5m } = plan.counts;
  const input = plan.counts.input + cacheRead + cacheWrite5m;
  const reasoning = Math.ceil(plan.thinking.reduce((sum, piece) => sum + size(piece), 0) / 4);
  return oddify(plan, {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite5m },
    output_tokens: plan.counts.output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + plan.counts.output,
  });
}

function response(plan: Plan, status: string, output: Item[], usage: Record<string, unknown> | null | undefined): Item {
  return {
    id: `resp_${plan.id}`,
    object: "response",
    created_at: plan.createdS,
    status,
    background: false,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: null,
    max_output_tokens: null,
    model: plan.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    usage,
    metadata: {},
  };
}

const part = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] });
const messageItem = (plan: Plan, status: string, content: unknown[]): Item => ({
  id: `msg_${plan.id}`,
  type: "message",
  status,
  role: "assistant",
  content,
});
const toolItem = ({ id, name, isCustom }: ToolCall, status: string, input: string): Item => ({
  id: `${isCustom ? "ctc" : "fc"}_${id.slice("call_".length)}`,
  type: isCustom ? "custom_tool_call" : "function_call",
  status,
  call_id: id,
  name,
  [isCustom ? "input" : "arguments"]: input,
});
const reasoningItem = (plan: Plan, texts: string[]): Item => ({
  id: `rs_${plan.id}`,
  type: "reasoning",
  summary: texts.map((text) => ({ type: "summary_text", text })),
  encrypted_content: texts.length > 0 ? SEAL : "",
});

function finalStatus(plan: Plan): "completed" | "incomplete" {
  return plan.finish === "length" ? "incomplete" : "completed";
}

function outputOf(plan: Plan): Item[] {
  const output: Item[] = [];
  if (plan.thinking.length > 0) output.push(reasoningItem(plan, [plan.thinking.join("")]));
  if (plan.text.length > 0) output.push(messageItem(plan, "completed", [part(plan.text.join(""))]));
  for (const tool of plan.tools) output.push(toolItem(tool, "completed", tool.pieces.join("")));
  return output;
}

type Emit = (type: string, body: Item, contentBytes?: number) => Frame;

function* reasoningFrames(plan: Plan, index: number, emit: Emit): Generator<Frame> {
  const at = { item_id: `rs_${plan.id}`, output_index: index, summary_index: 0 };
  const text = plan.thinking.join("");
  yield emit("response.output_item.added", { output_index: index, item: reasoningItem(plan, []) });
  yield emit("response.reasoning_summary_part.added", { ...at, part: { type: "summary_text", text: "" } });
  for (const delta of plan.thinking) yield emit("response.reasoning_summary_text.delta", { ...at, delta }, size(delta));
  yield emit("response.reasoning_summary_text.done", { ...at, text });
  yield emit("response.reasoning_summary_part.done", { ...at, part: { type: "summary_text", text } });
  yield emit("response.output_item.done", { output_index: index, item: reasoningItem(plan, [text]) });
}

function* textFrames(plan: Plan, index: number, emit: Emit): Generator<Frame> {
  const at = { item_id: `msg_${plan.id}`, output_index: index, content_index: 0 };
  const text = plan.text.join("");
  yield emit("response.output_item.added", { output_index: index, item: messageItem(plan, "in_progress", []) });
  yield emit("response.content_part.added", { ...at, part: part("") });
  for (const delta of plan.text) yield emit("response.output_text.delta", { ...at, delta, logprobs: [] }, size(delta));
  yield emit("response.output_text.done", { ...at, text, logprobs: [] });
  yield emit("response.content_part.done", { ...at, part: part(text) });
  yield emit("response.output_item.done", { output_index: index, item: messageItem(plan, "completed", [part(text)]) });
}

function* toolFrames(tool: ToolCall, index: number, emit: Emit): Generator<Frame> {
  const begun = toolItem(tool, "in_progress", "");
  const at = { item_id: begun.id, output_index: index };
  const input = tool.pieces.join("");
  const event = `response.${tool.isCustom ? "custom_tool_call_input" : "function_call_arguments"}`;
  yield emit("response.output_item.added", { output_index: index, item: begun });
  for (const delta of tool.pieces) yield emit(`${event}.delta`, { ...at, delta }, size(delta));
  yield emit(`${event}.done`, { ...at, ...(tool.isCustom ? { input } : { name: tool.name, arguments: input }) });
  yield emit("response.output_item.done", { output_index: index, item: toolItem(tool, "completed", input) });
}

function* frames(plan: Plan): Generator<Frame> {
  let sequence = 0;
  const emit: Emit = (type, body, contentBytes = 0) => ({
    text: `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...body })}\n\n`,
    contentBytes,
  });
  yield emit("response.created", { response: response(plan, "in_progress", [], null) });
  yield emit("response.in_progress", { response: response(plan, "in_progress", [], null) });
  let index = 0;
  if (plan.thinking.length > 0) yield* reasoningFrames(plan, index++, emit);
  if (plan.text.length > 0) yield* textFrames(plan, index++, emit);
  for (const tool of plan.tools) yield* toolFrames(tool, index++, emit);
  const status = finalStatus(plan);
  yield { ...emit(`response.${status}`, { response: response(plan, status, outputOf(plan), usageOf(plan)) }), closing: true, final: true };
}

const eventErrors = {
  overloaded: { code: "server_is_overloaded", message: "Scripted: overloaded" },
  internal: { code: "server_error", message: "Scripted: internal" },
  invalid: { code: "context_length_exceeded", message: "Scripted: invalid" },
} as const;

/** OpenAI Responses. */
export const openaiResponses: Speaker = {
  frames,
  whole: (plan) => response(plan, finalStatus(plan), outputOf(plan), usageOf(plan)),
  errorBody: openaiError,
  errorFrame: (kind) =>
    `event: error\ndata: ${JSON.stringify({ type: "error", sequence_number: 1, param: null, ...eventErrors[kind] })}\n\n`,
};
