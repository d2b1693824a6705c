import { asRecord, asText, type JsonRecord } from "../json.ts";
import { type FieldRules, isOff, listAt, malformed, optionalNumber, optionalText, recordAt, refuse, sortFields, textAt } from "./fields.ts";
import type {
  Conversation,
  Effort,
  FilePart,
  Format,
  ImagePart,
  Part,
  Reasoning,
  TextPart,
  Tool,
  ToolResultPart,
  Turn,
} from "./intermediate.ts";
import { readSeal } from "./seal.ts";

const rules: FieldRules = {
  model: "kept",
  stream: "kept",
  system: "kept",
  messages: "kept",
  tools: "kept",
  tool_choice: "kept",
  max_tokens: "kept",
  temperature: "kept",
  top_p: "kept",
  top_k: "kept",
  stop_sequences: "kept",
  thinking: "kept",
  output_config: "kept",
  metadata: "kept",
  service_tier: "kept",
  cache_control: "dropped",
  container: "names a container at Anthropic, which no other provider has.",
  mcp_servers: "asks Anthropic to call tools itself; no other provider can.",
};

const names = {
  stop: "stop_sequences",
  maxTokens: "max_tokens",
  reasoning: "thinking",
  format: "output_config.format",
  topK: "top_k",
  verbosity: "verbosity",
  serviceTier: "service_tier",
  user: "metadata.user_id",
  cacheKey: "cache_key",
};

/** Reads an Anthropic Messages request into the intermediate form. @throws SluiceError not_convertible, invalid_request. */
export function readAnthropicRequest(body: JsonRecord): Conversation {
  const dropped = sortFields(body, rules);
  const metadata = asRecord(body.metadata);
  const choice = asRecord(body.tool_choice);
  return {
    model: textAt(body.model, "model"),
    stream: body.stream === true,
    includesUsage: true,
    system: readSystem(body.system, "system", dropped),
    turns: listAt(body.messages, "messages").map((message, index) => readMessage(message, `messages.${index}`, dropped)),
    tools: readTools(body.tools, choice, dropped),
    toolChoice: readChoice(choice),
    parallelTools: typeof choice?.disable_parallel_tool_use === "boolean" ? !choice.disable_parallel_tool_use : null,
    maxTokens: optionalNumber(body, "max_tokens"),
    temperature: optionalNumber(body, "temperature"),
    topP: optionalNumber(body, "top_p"),
    topK: optionalNumber(body, "top_k"),
    stop: listAt(body.stop_sequences, "stop_sequences").map((text) => textAt(text, "stop_sequences")),
    reasoning: readReasoning(body),
    format: readFormat(body.output_config),
    verbosity: null,
    serviceTier: optionalText(body, "service_tier"),
    user: asText(metadata?.user_id) || null,
    cacheKey: null,
    dropped,
    names,
  };
}

function readSystem(system: unknown, path: string, dropped: string[]): TextPart[] {
  if (system === undefined || system === null) return [];
  if (typeof system === "string") return system === "" ? [] : [{ kind: "text", text: system }];
  return listAt(system, path).map((block, index) => {
    const record = recordAt(block, `${path}.${index}`);
    if (record.type !== "text") refuse(`${path}.${index}.type`, "can only be text.");
    return readText(record, `${path}.${index}`, dropped);
  });
}

function readText(block: JsonRecord, path: string, dropped: string[]): TextPart {
  drop(block, ["citations"], path, dropped);
  return { kind: "text", text: textAt(block.text, `${path}.text`), ...cacheOf(block) };
}

/** Names those of the fields that the client has set: only Anthropic has them. */
function drop(block: JsonRecord, fields: readonly string[], path: string, dropped: string[]): void {
  for (const field of fields) if (!isOff(block[field])) dropped.push(`${path}.${field}`);
}

function cacheOf(block: JsonRecord): { cache?: unknown } {
  return block.cache_control ? { cache: block.cache_control } : {};
}

function readMessage(message: unknown, path: string, dropped: string[]): Turn {
  const record = recordAt(message, path);
  const { role, content } = record;
  if (role !== "user" && role !== "assistant" && role !== "system") malformed(`${path}.role`, "user or assistant");
  if (typeof content === "string") return { role, parts: [{ kind: "text", text: content }] };
  const parts = listAt(content, `${path}.content`).map((block, index) => {
    const at = `${path}.content.${index}`;
    return readBlock(recordAt(block, at), at, dropped);
  });
  return { role, parts };
}

function readBlock(block: JsonRecord, path: string, dropped: string[]): Part {
  switch (block.type) {
    case "thinking":
      return {
        kind: "thinking",
        text: textAt(block.thinking, `${path}.thinking`),
        seal: readSeal(asText(block.signature), "anthropic"),
      };
    case "redacted_thinking":
      return { kind: "thinking", text: "", seal: { maker: "redacted", data: textAt(block.data, `${path}.data`), id: "" } };
    case "tool_use":
      return {
        kind: "tool-call",
        id: textAt(block.id, `${path}.id`),
        name: textAt(block.name, `${path}.name`),
        args: JSON.stringify(block.input ?? {}),
        ...cacheOf(block),
      };
    case "tool_result":
      return readToolResult(block, path, dropped);
    default:
      return readMedia(block, path, dropped);
  }
}

/** Content that may appear in a message or in a tool result. */
function readMedia(block: JsonRecord, path: string, dropped: string[]): TextPart | ImagePart | FilePart {
  switch (block.type) {
    case "text":
      return readText(block, path, dropped);
    case "image":
      return { kind: "image", source: readSource(block.source, `${path}.source`), detail: "", ...cacheOf(block) };
    case "document":
      return readDocument(block, path, dropped);
    default:
      return refuse(`${path}.type`, `'${asText(block.type)}' is supported by Anthropic only.`);
  }
}

function readSource(value: unknown, path: string): ImagePart["source"] {
  const source = recordAt(value, path);
  if (source.type === "base64") {
    return { mediaType: textAt(source.media_type, `${path}.media_type`), base64: textAt(source.data, `${path}.data`) };
  }
  if (source.type === "url") return { url: textAt(source.url, `${path}.url`) };
  return refuse(`${path}.type`, "must be base64 or url: other providers cannot read files stored at Anthropic.");
}

function readDocument(block: JsonRecord, path: string, dropped: string[]): TextPart | FilePart {
  const source = recordAt(block.source, `${path}.source`);
  // The title becomes the file's name, which only a file that is sent as such has.
  drop(block, source.type === "base64" ? ["context"] : ["title", "context"], path, dropped);
  if (asRecord(block.citations)?.enabled === true) dropped.push(`${path}.citations`);
  if (source.type === "text") return { kind: "text", text: textAt(source.data, `${path}.source.data`), ...cacheOf(block) };
  return { kind: "file", source: readSource(source, `${path}.source`), name: asText(block.title), ...cacheOf(block) };
}

function readToolResult(block: JsonRecord, path: string, dropped: string[]): ToolResultPart {
  const { content } = block;
  const parts =
    typeof content === "string"
      ? [{ kind: "text" as const, text: content }]
      : listAt(content, `${path}.content`).map((part, index) => {
          const at = `${path}.content.${index}`;
          return readMedia(recordAt(part, at), at, dropped);
        });
  const callId = textAt(block.tool_use_id, `${path}.tool_use_id`);
  return { kind: "tool-result", callId, parts, isError: block.is_error === true, ...cacheOf(block) };
}

/** Tools that Anthropic runs or defines are left out if there are others, and refused if they are required. */
function readTools(value: unknown, choice: JsonRecord | null, dropped: string[]): Tool[] {
  const tools: Tool[] = [];
  const hosted: { path: string; name: string }[] = [];
  for (const [index, item] of listAt(value, "tools").entries()) {
    const path = `tools.${index}`;
    const tool = recordAt(item, path);
    if (tool.type !== undefined && tool.type !== null && tool.type !== "custom") {
      hosted.push({ path: `${path}.type`, name: asText(tool.name) });
      continue;
    }
    tools.push({
      name: textAt(tool.name, `${path}.name`),
      description: asText(tool.description),
      schema: recordAt(tool.input_schema, `${path}.input_schema`),
      strict: tool.strict === true,
      ...cacheOf(tool),
    });
  }
  for (const { path, name } of hosted) {
    if (tools.length === 0 || name === asText(choice?.name)) refuse(path, "is a tool that only Anthropic provides.");
    dropped.push(path);
  }
  return tools;
}

function readChoice(choice: JsonRecord | null): Conversation["toolChoice"] {
  switch (choice?.type) {
    case undefined:
      return null;
    case "auto":
    case "none":
      return choice.type;
    case "any":
      return "required";
    case "tool":
      return { tool: textAt(choice.name, "tool_choice.name") };
    default:
      return malformed("tool_choice.type", "auto, any, none or tool");
  }
}

const efforts = new Set<unknown>(["low", "medium", "high", "xhigh", "max"]);

function readReasoning(body: JsonRecord): Reasoning | null {
  const thinking = asRecord(body.thinking);
  const said = asRecord(body.output_config)?.effort;
  const effort = efforts.has(said) ? (said as Effort) : null;
  // Between calls of tools only: as little as the models allow that cannot be told not to think.
  if (thinking?.type === "disabled" || thinking?.type === "between_tools") return { effort: "none", budgetTokens: null };
  if (thinking?.type === "enabled") return { effort, budgetTokens: optionalNumber(thinking, "budget_tokens") };
  if (thinking) return { effort: effort ?? "high", budgetTokens: null };
  return effort === null ? null : { effort, budgetTokens: null };
}

function readFormat(config: unknown): Format | null {
  const format = asRecord(asRecord(config)?.format);
  if (!format) return null;
  if (format.type !== "json_schema") refuse("output_config.format.type", "can only be json_schema.");
  return { kind: "schema", name: "answer", schema: recordAt(format.schema, "output_config.format.schema"), strict: true };
}
