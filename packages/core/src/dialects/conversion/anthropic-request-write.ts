import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { anthropicSchema } from "./anthropic-schema.ts";
import { knowsXhigh, refusesForce, refusesPrefill, refusesSampling, thinksAdaptively, thinksByDefault } from "./claude-models.ts";
import { customToolSchema, wrapCustomInput } from "./custom-tools.ts";
import { parseArguments } from "./exact-json.ts";
import { refuse } from "./fields.ts";
import type {
  Conversation,
  Effort,
  FilePart,
  ImagePart,
  Part,
  Seal,
  TextPart,
  Tool,
  ToolCallPart,
  ToolResultPart,
} from "./intermediate.ts";
import { anthropicToolId } from "./tool-ids.ts";

/** Anthropic's minimum for thinking. */
const MIN_BUDGET = 1024;

const budgets: Record<Effort, number> = { none: 0, minimal: 1024, low: 2048, medium: 8192, high: 24_576, xhigh: 32_768, max: 49_152 };

/** Anthropic requires a limit, but OpenAI's clients seldom send one: the maximum output of each model generation. */
function defaultMaxTokens(model: string): number {
  if (/claude-(?:3-(?:opus|sonnet|haiku)|2|instant)/i.test(model)) return 4096;
  if (/claude-3-5/i.test(model)) return 8192;
  return 32_000;
}

/** Writes a conversation as an Anthropic Messages request. */
export function writeAnthropicRequest(asked: Conversation): JsonRecord {
  const conversation = withoutForce(asked);
  const { model, dropped, names } = conversation;
  const messages = writeMessages(conversation);
  const system = writeSystem(conversation);
  const body: JsonRecord = { model, max_tokens: conversation.maxTokens ?? defaultMaxTokens(model) };
  if (system.length > 0) body.system = system;
  body.messages = messages;
  if (conversation.stream) body.stream = true;
  if (conversation.tools.length > 0) body.tools = conversation.tools.map(writeTool);
  const choice = writeChoice(conversation);
  if (choice) body.tool_choice = choice;
  const stop = conversation.stop.filter((text) => !isBlank(text));
  if (stop.length > 0) body.stop_sequences = stop;
  if (stop.length < conversation.stop.length) dropped.push(names.stop);
  const thinks = writeThinking(conversation, body, messages);
  writeSampling(conversation, body, thinks);
  if (conversation.format?.kind === "schema") {
    body.output_config = {
      ...asRecord(body.output_config),
      format: { type: "json_schema", schema: anthropicSchema(conversation.format.schema) },
    };
  }
  if (conversation.user !== null) body.metadata = { user_id: conversation.user };
  // A client that names a cache key wants caching: Anthropic then marks the last cacheable block itself.
  if (conversation.cacheKey !== null) body.cache_control = { type: "ephemeral" };
  for (const name of ["verbosity", "serviceTier"] as const) if (conversation[name] !== null) dropped.push(names[name]);
  return body;
}

function isForced({ toolChoice }: Conversation): boolean {
  return toolChoice === "required" || (toolChoice !== null && typeof toolChoice === "object");
}

/** Where a model cannot be forced to call a tool, a sentence asks it to. */
function withoutForce(conversation: Conversation): Conversation {
  const { model, tools, toolChoice, system, dropped } = conversation;
  if (tools.length === 0 || !isForced(conversation) || !refusesForce(model)) return conversation;
  dropped.push("tool_choice");
  const which = toolChoice !== null && typeof toolChoice === "object" ? `the tool '${toolChoice.tool}'` : "one of the tools";
  return { ...conversation, toolChoice: "auto", system: [...system, { kind: "text", text: `Answer by calling ${which}.` }] };
}

/** Empty or only white space, which Anthropic also refuses in instructions and stop sequences. */
function isBlank(text: string): boolean {
  return text.trim() === "";
}

function writeText({ text, cache }: TextPart): JsonRecord {
  return { type: "text", text, ...(cache ? { cache_control: cache } : {}) };
}

/** Anthropic has one place for instructions: later ones are appended to the first ones. */
function writeSystem(conversation: Conversation): JsonRecord[] {
  const later = conversation.turns.filter(({ role }) => role === "system").flatMap(({ parts }) => parts);
  const texts = [...conversation.system, ...later].filter((part): part is TextPart => part.kind === "text" && !isBlank(part.text));
  if (conversation.format?.kind === "json") texts.push({ kind: "text", text: "Answer with one JSON object and nothing else." });
  return texts.map(writeText);
}

/** Turns alternate, begin with the user and, for newer models, end with the user; tool results come first in theirs. */
function writeMessages(conversation: Conversation): JsonRecord[] {
  const merged: { role: "user" | "assistant"; blocks: JsonRecord[] }[] = [];
  for (const { role, parts } of conversation.turns) {
    if (role === "system") continue;
    const blocks = withoutBlanks(parts.map(writePart).filter((block) => block !== null));
    if (blocks.length === 0) continue;
    const last = merged.at(-1);
    if (last?.role === role) last.blocks.push(...blocks);
    else merged.push({ role, blocks });
  }
  if (merged.length === 0) refuse("messages", "must contain at least one user message.");
  if (merged[0]?.role === "assistant") merged.unshift({ role: "user", blocks: [{ type: "text", text: "." }] });
  if (merged.at(-1)?.role === "assistant" && refusesPrefill(conversation.model))
    merged.push({ role: "user", blocks: [{ type: "text", text: "Continue." }] });
  return merged.map(({ role, blocks }) => ({ role, content: role === "user" ? resultsFirst(blocks) : blocks }));
}

/** White-space text is refused where it is the only text (some models write a newline before a tool call); between texts it may stay. */
function withoutBlanks(blocks: JsonRecord[]): JsonRecord[] {
  const says = blocks.some(({ type, text }) => type === "text" && !isBlank(asText(text)));
  return says ? blocks : blocks.filter(({ type }) => type !== "text");
}

function resultsFirst(blocks: JsonRecord[]): JsonRecord[] {
  const isResult = ({ type }: JsonRecord) => type === "tool_result";
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

function writePart(part: Part): JsonRecord | null {
  switch (part.kind) {
    case "text":
      // Anthropic refuses empty texts, which OpenAI's clients send beside tool calls.
      return part.text === "" ? null : writeText(part);
    case "refusal":
      return part.text === "" ? null : { type: "text", text: part.text };
    case "thinking":
      return writeThought(part.text, part.seal);
    case "tool-call":
      return writeCall(part);
    case "tool-result":
      return writeResult(part);
    default:
      return writeMedia(part);
  }
}

/** Only Anthropic's own thinking: it verifies signatures and refuses all others. */
function writeThought(text: string, seal: Seal | null): JsonRecord | null {
  if (seal?.maker === "redacted") return { type: "redacted_thinking", data: seal.data };
  return seal?.maker === "anthropic" ? { type: "thinking", thinking: text, signature: seal.data } : null;
}

function writeCall({ id, name, args, isCustom, cache }: ToolCallPart): JsonRecord {
  // A model may have been cut off within them. The conversation goes on with what it wrote, as it does in an answer.
  const input = parseArguments(isCustom ? wrapCustomInput(args) : args) ?? { arguments: args };
  return { type: "tool_use", id: anthropicToolId(id), name, input, ...(cache ? { cache_control: cache } : {}) };
}

function writeResult({ callId, parts, isError, cache }: ToolResultPart): JsonRecord {
  const content = parts.flatMap((part) => (part.kind === "text" ? (part.text === "" ? [] : [writeText(part)]) : [writeMedia(part)]));
  const only = content.length === 1 ? content[0] : undefined;
  return {
    type: "tool_result",
    tool_use_id: anthropicToolId(callId),
    content: only?.type === "text" && only.cache_control === undefined ? only.text : content,
    ...(isError ? { is_error: true } : {}),
    ...(cache ? { cache_control: cache } : {}),
  };
}

/** Anthropic accepts only image/jpeg, OpenAI also image/jpg. */
function mediaTypeOf({ mediaType }: { mediaType: string }): string {
  const type = mediaType.toLowerCase();
  return type === "image/jpg" ? "image/jpeg" : type;
}

function writeMedia(part: ImagePart | FilePart): JsonRecord {
  const { source, cache } = part;
  let written: JsonRecord =
    "url" in source ? { type: "url", url: source.url } : { type: "base64", media_type: mediaTypeOf(source), data: source.base64 };
  const mark = cache ? { cache_control: cache } : {};
  if (part.kind === "image") return { type: "image", source: written, ...mark };
  // As base64, Anthropic accepts only PDFs; any text type is sent as plain text.
  if ("base64" in source && mediaTypeOf(source).startsWith("text/")) {
    const data = Buffer.from(source.base64, "base64").toString("utf8");
    written = { type: "text", media_type: "text/plain", data };
  }
  return { type: "document", source: written, ...(part.name === "" ? {} : { title: part.name }), ...mark };
}

function writeTool({ name, description, schema, cache }: Tool): JsonRecord {
  const input = schema === null ? customToolSchema : { type: "object", ...schema };
  return {
    name,
    ...(description === "" ? {} : { description }),
    input_schema: input,
    ...(cache ? { cache_control: cache } : {}),
  };
}

function writeChoice({ tools, toolChoice, parallelTools }: Conversation): JsonRecord | null {
  if (tools.length === 0) return null;
  const serial = parallelTools === false && toolChoice !== "none" ? { disable_parallel_tool_use: true } : {};
  if (toolChoice === null) return parallelTools === false ? { type: "auto", ...serial } : null;
  if (typeof toolChoice === "object") return { type: "tool", name: toolChoice.tool, ...serial };
  return { type: toolChoice === "required" ? "any" : toolChoice, ...serial };
}

/** Writes how the model should think. Returns false when it should not. */
function writeThinking(conversation: Conversation, body: JsonRecord, messages: readonly JsonRecord[]): boolean {
  const { reasoning, model, maxTokens, dropped, names } = conversation;
  if (!reasoning) return false;
  if (reasoning.effort === "none") {
    if (thinksByDefault(model)) {
      // Not all of them can be told not to think, but all to think little.
      body.output_config = { effort: "low" };
      dropped.push(names.reasoning);
    }
    return false;
  }
  const isAdaptive = thinksAdaptively(model);
  // Anthropic refuses thinking with a forced tool and, with a budget, in the middle of a tool turn that began without thinking.
  if (isForced(conversation) || (!isAdaptive && continuesWithoutThinking(messages))) {
    dropped.push(names.reasoning);
    return false;
  }
  const effort = reasoning.effort ?? "medium";
  if (isAdaptive) {
    // From 4.7 on, the text of thinking is left out unless it is asked for.
    body.thinking = { type: "adaptive", display: "summarized" };
    body.output_config = { effort: adaptiveEffort(effort, model) };
    return true;
  }
  const budget = reasoning.budgetTokens ?? budgets[effort];
  if (maxTokens === null) {
    body.max_tokens = Math.max(defaultMaxTokens(model), budget + 8192);
  } else if (maxTokens <= MIN_BUDGET) {
    dropped.push(names.reasoning);
    return false;
  }
  const limit = typeof body.max_tokens === "number" ? body.max_tokens : MIN_BUDGET + 1;
  body.thinking = { type: "enabled", budget_tokens: Math.max(MIN_BUDGET, Math.min(budget, limit - 1)) };
  return true;
}

/** OpenAI's efforts in the words of a Claude model. */
function adaptiveEffort(effort: Effort, model: string): Effort {
  if (effort === "minimal") return "low";
  return effort === "xhigh" && !knowsXhigh(model) ? "high" : effort;
}

/** Whether the last turn answers a tool call that the assistant made without a thinking block to continue from. */
function continuesWithoutThinking(messages: readonly JsonRecord[]): boolean {
  const has = (message: JsonRecord | undefined, type: string) => asList(message?.content).some((block) => asRecord(block)?.type === type);
  if (!has(messages.at(-1), "tool_result")) return false;
  const calling = messages.findLast(({ role }) => role === "assistant");
  return !has(calling, "thinking") && !has(calling, "redacted_thinking");
}

/** Only OpenAI has temperatures above 1; thinking allows none but 1; newer models take either temperature or top_p, the newest neither. */
function writeSampling({ model, temperature, topP, topK, dropped, names }: Conversation, body: JsonRecord, thinks: boolean): void {
  if (refusesSampling(model)) {
    if (topK !== null) dropped.push(names.topK);
    if (temperature !== null && temperature !== 1) dropped.push("temperature");
    if (topP !== null && topP !== 1) dropped.push("top_p");
    return;
  }
  if (topK !== null) {
    if (thinks) dropped.push(names.topK);
    else body.top_k = topK;
  }
  if (temperature !== null) {
    if (thinks && temperature !== 1) dropped.push("temperature");
    else body.temperature = Math.min(1, temperature);
    if (!thinks && temperature > 1) dropped.push("temperature");
  }
  if (topP === null || topP === 1) return;
  if (thinks || temperature !== null) dropped.push("top_p");
  else body.top_p = topP;
}
