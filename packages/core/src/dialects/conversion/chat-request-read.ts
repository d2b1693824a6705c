import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { type FieldRules, listAt, malformed, optionalNumber, optionalText, recordAt, refuse, sortFields, textAt } from "./fields.ts";
import type { Conversation, Part, TextPart, ThinkingPart, Tool, ToolCallPart, Turn } from "./intermediate.ts";
import { cacheOf, readEffort, readFile, readFormat, readImage, readTool, readToolChoice } from "./openai-request-read.ts";

const rules: FieldRules = {
  model: "kept",
  messages: "kept",
  stream: "kept",
  stream_options: "kept",
  tools: "kept",
  tool_choice: "kept",
  parallel_tool_calls: "kept",
  max_tokens: "kept",
  max_completion_tokens: "kept",
  temperature: "kept",
  top_p: "kept",
  top_k: "kept",
  n: "kept",
  stop: "kept",
  reasoning_effort: "kept",
  response_format: "kept",
  verbosity: "kept",
  service_tier: "kept",
  user: "kept",
  safety_identifier: "kept",
  prompt_cache_key: "kept",
  modalities: "kept",
  audio: "asks for sound, which only OpenAI's chat has.",
  functions: "is no longer converted: send 'tools'.",
  function_call: "is no longer converted: send 'tool_choice'.",
  logprobs: "cannot be had from a provider of another API.",
  top_logprobs: "cannot be had from a provider of another API.",
  logit_bias: "cannot be asked of a provider of another API.",
  web_search_options: "asks OpenAI to search itself; no other provider can.",
};

const names = {
  stop: "stop",
  maxTokens: "max_completion_tokens",
  reasoning: "reasoning_effort",
  format: "response_format",
  topK: "top_k",
  verbosity: "verbosity",
  serviceTier: "service_tier",
  user: "user",
  cacheKey: "prompt_cache_key",
};

/** Reads an OpenAI chat request into the intermediate form. @throws SluiceError not_convertible, invalid_request. */
export function readChatRequest(body: JsonRecord): Conversation {
  const dropped = sortFields(body, rules);
  if ((optionalNumber(body, "n") ?? 1) !== 1) refuse("n", "can only be 1: other APIs return a single response.");
  for (const modality of asList(body.modalities)) if (modality !== "text") refuse("modalities", "can only be text.");
  const turns = listAt(body.messages, "messages").map((message, index) => readMessage(message, `messages.${index}`));
  const lead = turns.findIndex(({ role }) => role !== "system");
  const leading = turns.splice(0, lead < 0 ? turns.length : lead);
  const tools = readTools(body.tools);
  const effort = readEffort(body.reasoning_effort, "reasoning_effort");
  return {
    model: textAt(body.model, "model"),
    stream: body.stream === true,
    includesUsage: asRecord(body.stream_options)?.include_usage === true,
    system: leading.flatMap(({ parts }) => parts).filter((part): part is TextPart => part.kind === "text"),
    turns,
    tools,
    toolChoice: readToolChoice(body.tool_choice, tools),
    parallelTools: typeof body.parallel_tool_calls === "boolean" ? body.parallel_tool_calls : null,
    maxTokens: optionalNumber(body, "max_completion_tokens") ?? optionalNumber(body, "max_tokens"),
    temperature: optionalNumber(body, "temperature"),
    topP: optionalNumber(body, "top_p"),
    topK: optionalNumber(body, "top_k"),
    stop: typeof body.stop === "string" ? [body.stop] : listAt(body.stop, "stop").map((text) => textAt(text, "stop")),
    reasoning: effort === null ? null : { effort, budgetTokens: null },
    format: readFormat(body.response_format, "response_format"),
    verbosity: optionalText(body, "verbosity"),
    serviceTier: optionalText(body, "service_tier"),
    user: optionalText(body, "safety_identifier") ?? optionalText(body, "user"),
    cacheKey: optionalText(body, "prompt_cache_key"),
    dropped,
    names,
  };
}

function readTools(value: unknown): Tool[] {
  return listAt(value, "tools").map((item, index) => {
    const path = `tools.${index}`;
    const tool = recordAt(item, path);
    if (tool.type !== "function" && tool.type !== "custom") refuse(`${path}.type`, "can only be function or custom.");
    const spec = recordAt(tool[tool.type], `${path}.${tool.type}`);
    const read = readTool(tool.type, spec, `${path}.${tool.type}`);
    return { ...read, ...cacheOf(tool) };
  });
}

function readMessage(message: unknown, path: string): Turn {
  const record = recordAt(message, path);
  switch (record.role) {
    case "system":
    case "developer":
      return { role: "system", parts: readContent(record.content, `${path}.content`) };
    case "user":
      return { role: "user", parts: readContent(record.content, `${path}.content`) };
    case "assistant":
      return { role: "assistant", parts: readAssistant(record, path) };
    case "tool":
      return { role: "user", parts: [readToolMessage(record, path)] };
    default:
      return malformed(`${path}.role`, "system, developer, user, assistant or tool");
  }
}

function readContent(content: unknown, path: string): Part[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return listAt(content, path).map((part, index) => readPart(recordAt(part, `${path}.${index}`), `${path}.${index}`));
}

function readPart(part: JsonRecord, path: string): Part {
  switch (part.type) {
    case "text":
      return { kind: "text", text: textAt(part.text, `${path}.text`), ...cacheOf(part) };
    case "refusal":
      return { kind: "refusal", text: textAt(part.refusal, `${path}.refusal`) };
    case "image_url": {
      const image = asRecord(part.image_url);
      return { ...readImage(image?.url ?? part.image_url, image?.detail, `${path}.image_url.url`), ...cacheOf(part) };
    }
    case "file":
      return { ...readFile(recordAt(part.file, `${path}.file`), `${path}.file`), ...cacheOf(part) };
    default:
      return refuse(`${path}.type`, `'${asText(part.type)}' cannot be sent to a provider of another API.`);
  }
}

/** Thinking first: that is where the model wrote it and where Anthropic expects it. */
function readAssistant(message: JsonRecord, path: string): Part[] {
  const parts: Part[] = readThinking(message);
  if (message.content !== undefined && message.content !== null) {
    for (const part of readContent(message.content, `${path}.content`)) if (part.kind !== "text" || part.text !== "") parts.push(part);
  }
  if (asText(message.refusal) !== "") parts.push({ kind: "refusal", text: asText(message.refusal) });
  for (const [index, call] of listAt(message.tool_calls, `${path}.tool_calls`).entries()) {
    parts.push(readCall(call, `${path}.tool_calls.${index}`));
  }
  return parts;
}

/** Reads `reasoning_details` (see docs/conversion.md, Thinking), or else plain `reasoning_content`. */
function readThinking(message: JsonRecord): ThinkingPart[] {
  const details = asList(message.reasoning_details).flatMap((value) => readDetail(asRecord(value)));
  if (details.length > 0) return details;
  const text = asText(message.reasoning_content) || asText(message.reasoning);
  return text === "" ? [] : [{ kind: "thinking", text, seal: { maker: "chat", data: "", id: "" } }];
}

function readDetail(detail: JsonRecord | null): ThinkingPart[] {
  const text = asText(detail?.text) || asText(detail?.summary);
  const id = asText(detail?.id);
  const isAnthropic = asText(detail?.format).startsWith("anthropic");
  if (detail?.type === "reasoning.encrypted") {
    const maker = isAnthropic ? "redacted" : "responses";
    return [{ kind: "thinking", text: asText(detail.summary), seal: { maker, data: asText(detail.data), id } }];
  }
  if (detail?.type === "reasoning.text" && asText(detail.signature) !== "") {
    return [{ kind: "thinking", text, seal: { maker: "anthropic", data: asText(detail.signature), id } }];
  }
  return [];
}

function readCall(value: unknown, path: string): ToolCallPart {
  const call = recordAt(value, path);
  const id = textAt(call.id, `${path}.id`);
  if (call.type === "custom") {
    const custom = recordAt(call.custom, `${path}.custom`);
    const name = textAt(custom.name, `${path}.custom.name`);
    return { kind: "tool-call", id, name, args: asText(custom.input), isCustom: true };
  }
  const spec = recordAt(call.function, `${path}.function`);
  return { kind: "tool-call", id, name: textAt(spec.name, `${path}.function.name`), args: asText(spec.arguments) };
}

function readToolMessage(message: JsonRecord, path: string): Part {
  const parts = readContent(message.content, `${path}.content`).flatMap((part) =>
    part.kind === "text" || part.kind === "image" || part.kind === "file" ? [part] : [],
  );
  return {
    kind: "tool-result",
    callId: textAt(message.tool_call_id, `${path}.tool_call_id`),
    parts,
    isError: false,
    ...cacheOf(message),
  };
}
