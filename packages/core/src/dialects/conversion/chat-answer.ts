import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { type AnswerContext, bareId } from "./answer-context.ts";
import { unwrapCustomInput } from "./custom-tools.ts";
import type { Answer, AnswerPart, Seal, ThinkingPart, ToolCallPart } from "./intermediate.ts";
import { readChatStop, writeChatStop } from "./stop-reasons.ts";
import { chatUsage } from "./usage.ts";

/** Reads the first choice of a whole chat completion into the intermediate form. */
export function readChatAnswer(body: JsonRecord): Answer {
  const choice = asRecord(asList(body.choices)[0]);
  const parts = readMessage(asRecord(choice?.message) ?? {});
  const holds = { tool: parts.some(({ kind }) => kind === "tool-call"), refusal: parts.some(({ kind }) => kind === "refusal") };
  return {
    model: asText(body.model),
    parts,
    stop: readChatStop(choice?.finish_reason, holds),
    reasoningTokens: readReasoningTokens(body.usage),
  };
}

/** Reasoning tokens within the completion; null when not reported. */
export function readReasoningTokens(usage: unknown): number | null {
  const record = asRecord(usage);
  const details = asRecord(record?.completion_tokens_details) ?? asRecord(record?.output_tokens_details);
  return typeof details?.reasoning_tokens === "number" ? details.reasoning_tokens : null;
}

/** The text of a content that is either a string or a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return asList(content)
    .map((part) => asText(asRecord(part)?.text))
    .join("");
}

function readMessage(message: JsonRecord): AnswerPart[] {
  const parts: AnswerPart[] = [];
  const thinking = asText(message.reasoning_content) || asText(message.reasoning);
  if (thinking !== "") parts.push({ kind: "thinking", text: thinking, seal: null });
  const text = contentText(message.content);
  if (text !== "") parts.push({ kind: "text", text });
  if (asText(message.refusal) !== "") parts.push({ kind: "refusal", text: asText(message.refusal) });
  const calls = [...asList(message.tool_calls), ...(message.function_call ? [{ function: message.function_call }] : [])];
  for (const [index, value] of calls.entries()) {
    const call = asRecord(value);
    const spec = asRecord(call?.function);
    parts.push({
      kind: "tool-call",
      id: asText(call?.id) || `call_${index}`,
      name: asText(spec?.name),
      args: argumentsText(spec?.arguments),
    });
  }
  return parts;
}

/** Arguments as text; some providers send the object itself. */
export function argumentsText(args: unknown): string {
  return typeof args === "string" || args === undefined || args === null ? asText(args) : JSON.stringify(args);
}

/** Writes an answer as a chat completion: texts joined, thinking beside them, all calls kept. */
export function writeChatAnswer(answer: Answer, context: AnswerContext): JsonRecord {
  const textOf = (kind: "text" | "refusal" | "thinking") => answer.parts.map((part) => (part.kind === kind ? part.text : "")).join("");
  const calls = answer.parts.filter((part): part is ToolCallPart => part.kind === "tool-call");
  const thoughts = answer.parts.filter((part): part is ThinkingPart => part.kind === "thinking");
  const details = thoughts.flatMap(({ text, seal }, index) => (seal ? [reasoningDetail(seal, text, index)] : []));
  const text = textOf("text");
  const thinking = textOf("thinking");
  const refusal = textOf("refusal");
  const message = {
    role: "assistant",
    content: text === "" && (calls.length > 0 || refusal !== "") ? null : text,
    refusal: refusal || null,
    ...(thinking === "" ? {} : { reasoning_content: thinking }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => writeCall(call, context)) }),
  };
  return {
    id: `chatcmpl-${bareId(context)}`,
    object: "chat.completion",
    created: context.createdS,
    model: answer.model || context.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: writeChatStop(answer.stop, { refusal: refusal !== "" }) }],
    usage: chatUsage(context.usage(), answer.reasoningTokens),
  };
}

/** Sealed reasoning as chat clients hand it back, in the form that OpenRouter's clients use. */
export function reasoningDetail(seal: Seal, text: string, index: number): JsonRecord {
  const id = seal.id === "" ? {} : { id: seal.id };
  switch (seal.maker) {
    case "anthropic":
      return { type: "reasoning.text", text, signature: seal.data, format: "anthropic-claude-v1", index };
    case "redacted":
      return { type: "reasoning.encrypted", data: seal.data, format: "anthropic-claude-v1", index };
    default:
      return {
        type: "reasoning.encrypted",
        ...(text === "" ? {} : { summary: text }),
        data: seal.data,
        ...id,
        format: "openai-responses-v1",
        index,
      };
  }
}

function writeCall({ id, name, args }: ToolCallPart, { customTools }: AnswerContext): JsonRecord {
  if (customTools.has(name)) return { id, type: "custom", custom: { name, input: unwrapCustomInput(args) } };
  return { id, type: "function", function: { name, arguments: args || "{}" } };
}
