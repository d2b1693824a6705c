import type { JsonRecord } from "../json.ts";
import { customToolSchema, wrapCustomInput } from "./custom-tools.ts";
import { writeUrl } from "./data-url.ts";
import { refuse } from "./fields.ts";
import type { Conversation, Part, TextPart, ThinkingPart, Tool, ToolCallPart, ToolResultPart, Turn } from "./intermediate.ts";
import { effortFor, fitsStrict, joinTexts, readableSchema, toolParameters, writeOptions } from "./openai-request-write.ts";
import { openaiToolId } from "./tool-ids.ts";

/** Writes a conversation as an OpenAI Responses request. Nothing is stored there; reasoning travels encrypted. */
export function writeResponsesRequest(conversation: Conversation): JsonRecord {
  const { model, stream, system, turns, tools, maxTokens, stop, names } = conversation;
  if (stop.length > 0) refuse(names.stop, "cannot be sent to a Responses provider, which has no stop sequences.");
  const body: JsonRecord = { model, input: turns.flatMap(writeTurn), store: false };
  if (system.length > 0) body.instructions = joinTexts(system);
  if (stream) body.stream = true;
  if (tools.length > 0) body.tools = tools.map(writeTool);
  const choice = conversation.toolChoice;
  if (choice !== null && tools.length > 0) body.tool_choice = typeof choice === "object" ? { type: "function", name: choice.tool } : choice;
  // OpenAI refuses smaller values.
  if (maxTokens !== null) body.max_output_tokens = Math.max(16, maxTokens);
  const effort = effortFor(conversation);
  if (effort !== null && effort !== "none") {
    body.reasoning = { effort, summary: "auto" };
    body.include = ["reasoning.encrypted_content"];
  } else if (effort === "none") body.reasoning = { effort };
  const text = writeText(conversation);
  if (text) body.text = text;
  return Object.assign(body, writeOptions(conversation));
}

function writeText({ format, verbosity }: Conversation): JsonRecord | null {
  if (!format && verbosity === null) return null;
  const written =
    format?.kind === "schema"
      ? {
          type: "json_schema",
          name: format.name,
          schema: readableSchema(format.schema),
          strict: format.strict && fitsStrict(format.schema),
        }
      : null;
  return {
    ...(format ? { format: written ?? { type: "json_object" } } : {}),
    ...(verbosity === null ? {} : { verbosity }),
  };
}

function writeTurn({ role, parts }: Turn): JsonRecord[] {
  if (role === "assistant") return writeAssistant(parts);
  if (role === "system") return [{ role: "developer", content: joinTexts(parts.filter(isText)) }];
  const items: JsonRecord[] = parts.filter((part) => part.kind === "tool-result").map(writeResult);
  const content = parts.flatMap((part) => (part.kind === "tool-result" ? [] : writeContent(part)));
  if (content.length > 0) items.push({ role: "user", content });
  return items;
}

function isText(part: Part): part is TextPart {
  return part.kind === "text";
}

function writeContent(part: Part): JsonRecord[] {
  switch (part.kind) {
    case "text":
      return [{ type: "input_text", text: part.text }];
    case "image":
      return [{ type: "input_image", image_url: writeUrl(part.source), detail: part.detail || "auto" }];
    case "file":
      if ("url" in part.source) return [{ type: "input_file", file_url: part.source.url }];
      return [{ type: "input_file", filename: part.name || "document.pdf", file_data: writeUrl(part.source) }];
    default:
      return [];
  }
}

function writeResult({ callId, parts }: ToolResultPart): JsonRecord {
  const output = parts.every(isText) ? joinTexts(parts.filter(isText)) : parts.flatMap(writeContent);
  return { type: "function_call_output", call_id: openaiToolId(callId), output };
}

/** Items in the order in which the model produced them: reasoning must precede what followed from it. */
function writeAssistant(parts: readonly Part[]): JsonRecord[] {
  const items: JsonRecord[] = [];
  for (const part of parts) {
    switch (part.kind) {
      case "text":
        if (part.text !== "") items.push({ role: "assistant", content: [{ type: "output_text", text: part.text }] });
        break;
      case "refusal":
        items.push({ role: "assistant", content: [{ type: "refusal", refusal: part.text }] });
        break;
      case "thinking":
        items.push(...writeReasoning(part));
        break;
      case "tool-call":
        items.push(writeCall(part));
        break;
      default:
        break;
    }
  }
  return items;
}

/** Only reasoning that a Responses provider encrypted: it cannot read any other. */
function writeReasoning({ text, seal }: ThinkingPart): JsonRecord[] {
  if (seal?.maker !== "responses") return [];
  const summary = text === "" ? [] : [{ type: "summary_text", text }];
  return [{ type: "reasoning", ...(seal.id === "" ? {} : { id: seal.id }), summary, encrypted_content: seal.data }];
}

function writeCall({ id, name, args, isCustom }: ToolCallPart): JsonRecord {
  return { type: "function_call", call_id: openaiToolId(id), name, arguments: isCustom ? wrapCustomInput(args) : args || "{}" };
}

function writeTool({ name, description, schema, strict }: Tool): JsonRecord {
  return {
    type: "function",
    name,
    ...(description === "" ? {} : { description }),
    parameters: toolParameters(schema ?? customToolSchema),
    strict: strict && fitsStrict(schema),
  };
}
