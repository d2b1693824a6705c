import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { type FieldRules, listAt, malformed, optionalNumber, optionalText, recordAt, refuse, sortFields, textAt } from "./fields.ts";
import type { Conversation, FilePart, ImagePart, Part, TextPart, Tool, ToolResultPart, Turn } from "./intermediate.ts";
import { cacheOf, readEffort, readFile, readFormat, readImage, readTool, readToolChoice } from "./openai-request-read.ts";
import { readSeal } from "./seal.ts";
import { joinNamespace } from "./tool-namespaces.ts";

const rules: FieldRules = {
  model: "kept",
  input: "kept",
  instructions: "kept",
  stream: "kept",
  stream_options: "dropped",
  tools: "kept",
  tool_choice: "kept",
  parallel_tool_calls: "kept",
  max_output_tokens: "kept",
  temperature: "kept",
  top_p: "kept",
  reasoning: "kept",
  text: "kept",
  service_tier: "kept",
  user: "kept",
  safety_identifier: "kept",
  prompt_cache_key: "kept",
  // Nothing is stored and reasoning is always returned encrypted, so these two change nothing.
  store: "kept",
  include: "kept",
  previous_response_id: "refers to an answer stored at OpenAI: send the whole conversation as 'input'.",
  conversation: "refers to a conversation stored at OpenAI: send the whole of it as 'input'.",
  prompt: "refers to a prompt stored at OpenAI: send 'instructions'.",
  background: "asks for an answer to be fetched later, which only OpenAI has.",
  top_logprobs: "cannot be had from a provider of another API.",
};

const names = {
  stop: "stop",
  maxTokens: "max_output_tokens",
  reasoning: "reasoning",
  format: "text.format",
  topK: "top_k",
  verbosity: "text.verbosity",
  serviceTier: "service_tier",
  user: "user",
  cacheKey: "prompt_cache_key",
};

/** Reads an OpenAI Responses request into the intermediate form. @throws SluiceError not_convertible, invalid_request. */
export function readResponsesRequest(body: JsonRecord): Conversation {
  const dropped = sortFields(body, rules);
  const turns = readInput(body.input);
  const instructions = optionalText(body, "instructions") ?? "";
  const lead = turns.findIndex(({ role }) => role !== "system");
  const leading = turns.splice(0, lead < 0 ? turns.length : lead).flatMap(({ parts }) => parts);
  const system: TextPart[] = instructions === "" ? [] : [{ kind: "text", text: instructions }];
  system.push(...leading.filter((part): part is TextPart => part.kind === "text"));
  const tools = readTools(body, dropped);
  const text = asRecord(body.text);
  const reasoning = asRecord(body.reasoning);
  const effort = readEffort(reasoning?.effort, "reasoning.effort");
  return {
    model: textAt(body.model, "model"),
    stream: body.stream === true,
    includesUsage: true,
    system,
    turns,
    tools,
    toolChoice: readToolChoice(body.tool_choice, tools),
    parallelTools: typeof body.parallel_tool_calls === "boolean" ? body.parallel_tool_calls : null,
    maxTokens: optionalNumber(body, "max_output_tokens"),
    temperature: optionalNumber(body, "temperature"),
    topP: optionalNumber(body, "top_p"),
    topK: null,
    stop: [],
    reasoning: effort === null ? null : { effort, budgetTokens: null },
    format: readFormat(text?.format, "text.format"),
    verbosity: asText(text?.verbosity) || null,
    serviceTier: optionalText(body, "service_tier"),
    user: optionalText(body, "safety_identifier") ?? optionalText(body, "user"),
    cacheKey: optionalText(body, "prompt_cache_key"),
    dropped,
    names,
  };
}

/** Tools that OpenAI runs are left out if there are others, and refused if there are none. */
function readTools(body: JsonRecord, dropped: string[]): Tool[] {
  const hosted: string[] = [];
  const tools = readToolList(body.tools, "tools", "", hosted);
  // Codex offers its tools within the input.
  for (const [index, item] of asList(body.input).entries()) {
    const record = asRecord(item);
    if (record?.type === "additional_tools") tools.push(...readToolList(record.tools, `input.${index}.tools`, "", hosted));
  }
  for (const path of hosted) {
    if (tools.length === 0) refuse(path, "is a tool that only OpenAI runs.");
    dropped.push(path);
  }
  return tools;
}

function readToolList(value: unknown, path: string, namespace: string, hosted: string[]): Tool[] {
  return listAt(value, path).flatMap((item, index) => {
    const at = `${path}.${index}`;
    const tool = recordAt(item, at);
    if (tool.type === "namespace") return readToolList(tool.tools, `${at}.tools`, textAt(tool.name, `${at}.name`), hosted);
    if (tool.type !== "function" && tool.type !== "custom") {
      hosted.push(`${at}.type`);
      return [];
    }
    const read = readTool(tool.type, tool, at);
    return [{ ...read, name: joinNamespace(namespace, read.name), ...(namespace === "" ? {} : { namespace }) }];
  });
}

/** Joins consecutive items of the assistant (reasoning, text, calls) into one turn. */
function readInput(input: unknown): Turn[] {
  if (typeof input === "string") return [{ role: "user", parts: [{ kind: "text", text: input }] }];
  const turns: Turn[] = [];
  for (const [index, value] of listAt(input, "input").entries()) {
    const item = recordAt(value, `input.${index}`);
    if (item.type === "additional_tools") continue;
    const turn = readItem(item, `input.${index}`);
    const last = turns.at(-1);
    if (last && last.role === turn.role && turn.role === "assistant") last.parts.push(...turn.parts);
    else turns.push(turn);
  }
  return turns;
}

function readItem(item: JsonRecord, path: string): Turn {
  switch (item.type) {
    case undefined:
    case null:
    case "message":
      return readMessage(item, path);
    case "reasoning":
      return { role: "assistant", parts: readReasoning(item) };
    case "function_call":
    case "custom_tool_call":
      return { role: "assistant", parts: [readCall(item, path)] };
    case "function_call_output":
    case "custom_tool_call_output":
      return { role: "user", parts: [readOutput(item, path)] };
    default:
      return refuse(`${path}.type`, `'${asText(item.type)}' is supported by OpenAI only.`);
  }
}

function readMessage(item: JsonRecord, path: string): Turn {
  const { role } = item;
  const parts = readContent(item.content, `${path}.content`);
  if (role === "system" || role === "developer") return { role: "system", parts };
  if (role === "user" || role === "assistant") return { role, parts };
  return malformed(`${path}.role`, "system, developer, user or assistant");
}

function readContent(content: unknown, path: string): Part[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return listAt(content, path).map((part, index) => readPart(recordAt(part, `${path}.${index}`), `${path}.${index}`));
}

function readPart(part: JsonRecord, path: string): Part {
  if (part.type === "refusal") return { kind: "refusal", text: textAt(part.refusal, `${path}.refusal`) };
  return readMedia(part, path);
}

function readMedia(part: JsonRecord, path: string): TextPart | ImagePart | FilePart {
  switch (part.type) {
    case "input_text":
    case "output_text":
    case "text":
      return { kind: "text", text: textAt(part.text, `${path}.text`), ...cacheOf(part) };
    case "input_image":
      if (typeof part.image_url !== "string")
        refuse(`${path}.file_id`, "names a file stored at OpenAI, which other providers cannot read.");
      return readImage(part.image_url, part.detail, `${path}.image_url`);
    case "input_file":
      return readFile(part, path);
    default:
      return refuse(`${path}.type`, `'${asText(part.type)}' cannot be sent to a provider of another API.`);
  }
}

function readReasoning(item: JsonRecord): Part[] {
  const text = [...asList(item.summary), ...asList(item.content)].map((part) => asText(asRecord(part)?.text)).join("\n\n");
  const seal = readSeal(asText(item.encrypted_content), "responses", asText(item.id));
  // Without encrypted content it refers to a stored item, and nothing is stored.
  return seal ? [{ kind: "thinking", text, seal }] : [];
}

function readCall(item: JsonRecord, path: string): Part {
  const id = textAt(item.call_id, `${path}.call_id`);
  const name = joinNamespace(asText(item.namespace), textAt(item.name, `${path}.name`));
  if (item.type === "custom_tool_call") return { kind: "tool-call", id, name, args: asText(item.input), isCustom: true };
  return { kind: "tool-call", id, name, args: asText(item.arguments) };
}

function readOutput(item: JsonRecord, path: string): ToolResultPart {
  const { output } = item;
  const parts =
    typeof output === "string"
      ? [{ kind: "text" as const, text: output }]
      : listAt(output, `${path}.output`).map((part, index) => {
          const at = `${path}.output.${index}`;
          return readMedia(recordAt(part, at), at);
        });
  return { kind: "tool-result", callId: textAt(item.call_id, `${path}.call_id`), parts, isError: false };
}
