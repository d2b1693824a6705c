import type { JsonRecord } from "../json.ts";
import { customToolSchema, wrapCustomInput } from "./custom-tools.ts";
import { writeUrl } from "./data-url.ts";
import { refuse } from "./fields.ts";
import type { Conversation, FilePart, ImagePart, Part, TextPart, Tool, ToolCallPart, ToolResultPart, Turn } from "./intermediate.ts";
import {
  effortFor,
  fitsStrict,
  isReasoningModel,
  isUnsampled,
  joinTexts,
  readableSchema,
  toolParameters,
  writeOptions,
} from "./openai-request-write.ts";
import { openaiToolId } from "./tool-ids.ts";

/** Writes a conversation as an OpenAI chat request. */
export function writeChatRequest(conversation: Conversation): JsonRecord {
  const { model, stream, system, turns, tools, maxTokens, stop, verbosity, names } = conversation;
  if (stop.length > 0 && isUnsampled(model))
    refuse(names.stop, "cannot be asked of OpenAI's reasoning models: they have no stop sequences.");
  const messages = resultsTogether(turns).flatMap(writeTurn);
  if (system.length > 0) messages.unshift({ role: "system", content: joinTexts(system) });
  const body: JsonRecord = { model, messages };
  if (stream) Object.assign(body, { stream: true, stream_options: { include_usage: true } });
  if (tools.length > 0) body.tools = tools.map(writeTool);
  const choice = conversation.toolChoice;
  if (choice !== null && tools.length > 0) {
    body.tool_choice = typeof choice === "object" ? { type: "function", function: { name: choice.tool } } : choice;
  }
  // OpenAI's newer models accept only the former, most other providers only the latter.
  if (maxTokens !== null) body[isReasoningModel(model) ? "max_completion_tokens" : "max_tokens"] = maxTokens;
  if (stop.length > 0) body.stop = stop;
  const effort = effortFor(conversation);
  if (effort !== null) body.reasoning_effort = effort;
  const format = writeFormat(conversation);
  if (format) body.response_format = format;
  if (verbosity !== null) body.verbosity = verbosity;
  return Object.assign(body, writeOptions(conversation));
}

/**
 * Puts all results of parallel calls, which some clients send one per turn, directly behind the calls: nothing may come between these
 * messages, but Responses' clients may say something before a result.
 */
function resultsTogether(turns: readonly Turn[]): Turn[] {
  const together: Turn[] = [];
  for (const turn of turns) {
    if (!holdsResult(turn)) {
      together.push(turn);
      continue;
    }
    const at = together.findLastIndex(({ role }) => role === "assistant") + 1;
    const first = together[at];
    if (first && holdsResult(first)) together[at] = { ...first, parts: [...first.parts, ...turn.parts] };
    else together.splice(at, 0, turn);
  }
  return together;
}

function holdsResult({ parts }: Turn): boolean {
  return parts.some(({ kind }) => kind === "tool-result");
}

function writeTurn({ role, parts }: Turn): JsonRecord[] {
  if (role === "assistant") return writeAssistant(parts);
  if (role === "system") return [{ role: "system", content: joinTexts(parts.filter(isText)) }];
  const results = parts.filter((part): part is ToolResultPart => part.kind === "tool-result");
  // A tool message holds text only, so media follow in a user message.
  const media = results.flatMap((result) => result.parts).filter((part) => part.kind !== "text");
  const rest = [...media, ...parts.filter((part) => part.kind !== "tool-result")];
  const messages = results.map(writeResult);
  if (rest.length > 0) messages.push({ role: "user", content: writeContent(rest) });
  return messages;
}

function isText(part: Part): part is TextPart {
  return part.kind === "text";
}

function writeResult({ callId, parts }: ToolResultPart): JsonRecord {
  const texts = parts.filter(isText);
  const text = texts.length === 0 && parts.length > 0 ? "(see the next message)" : joinTexts(texts);
  return { role: "tool", tool_call_id: openaiToolId(callId), content: text };
}

/** A single text becomes a string, which every provider accepts. */
function writeContent(parts: readonly Part[]): string | JsonRecord[] {
  const only = parts[0];
  if (parts.length === 1 && only?.kind === "text") return only.text;
  return parts.flatMap((part) => {
    switch (part.kind) {
      case "text":
        return [{ type: "text", text: part.text }];
      case "image":
        return [writeImage(part)];
      case "file":
        return [writeFile(part)];
      default:
        return [];
    }
  });
}

function writeImage({ source, detail }: ImagePart): JsonRecord {
  return { type: "image_url", image_url: { url: writeUrl(source), ...(detail === "" ? {} : { detail }) } };
}

function writeFile(part: FilePart): JsonRecord {
  if ("url" in part.source) return refuse("source.url", "of a file cannot be sent to a Chat Completions provider: send the file's bytes.");
  return { type: "file", file: { filename: part.name || "document.pdf", file_data: writeUrl(part.source) } };
}

function writeAssistant(parts: readonly Part[]): JsonRecord[] {
  const text = parts
    .filter(isText)
    .map((part) => part.text)
    .join("");
  const refusal = parts.map((part) => (part.kind === "refusal" ? part.text : "")).join("");
  const thinking = parts.map((part) => (part.kind === "thinking" && part.seal?.maker === "chat" ? part.text : "")).join("");
  const calls = parts.filter((part): part is ToolCallPart => part.kind === "tool-call").map(writeCall);
  if (text === "" && refusal === "" && calls.length === 0) return [];
  return [
    {
      role: "assistant",
      content: text === "" ? null : text,
      ...(refusal === "" ? {} : { refusal }),
      ...(thinking === "" ? {} : { reasoning_content: thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

function writeCall({ id, name, args, isCustom }: ToolCallPart): JsonRecord {
  return {
    id: openaiToolId(id),
    type: "function",
    function: { name, arguments: isCustom ? wrapCustomInput(args) : args || "{}" },
  };
}

function writeTool({ name, description, schema, strict }: Tool): JsonRecord {
  return {
    type: "function",
    function: {
      name,
      ...(description === "" ? {} : { description }),
      parameters: toolParameters(schema ?? customToolSchema),
      ...(strict && fitsStrict(schema) ? { strict } : {}),
    },
  };
}

function writeFormat({ format }: Conversation): JsonRecord | null {
  if (!format) return null;
  if (format.kind === "json") return { type: "json_object" };
  const { name, schema, strict } = format;
  return {
    type: "json_schema",
    json_schema: { name, schema: readableSchema(schema), ...(strict && fitsStrict(schema) ? { strict } : {}) },
  };
}
