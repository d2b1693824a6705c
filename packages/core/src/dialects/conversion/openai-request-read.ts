/** What OpenAI's two dialects share when reading requests. */
import { asList, asRecord, asText, type JsonRecord } from "../json.ts";
import { describeFormat } from "./custom-tools.ts";
import { readUrl } from "./data-url.ts";
import { malformed, recordAt, refuse, textAt } from "./fields.ts";
import type { Conversation, Effort, FilePart, Format, ImagePart, Tool } from "./intermediate.ts";

const efforts = new Set<unknown>(["none", "minimal", "low", "medium", "high", "xhigh", "max"]);

export function readEffort(value: unknown, path: string): Effort | null {
  if (value === undefined || value === null) return null;
  return efforts.has(value) ? (value as Effort) : malformed(path, "none, minimal, low, medium, high, xhigh or max");
}

/** A function or custom tool, whose fields are in their own object (chat) or beside `type` (responses). */
export function readTool(type: unknown, record: JsonRecord, path: string): Tool {
  const name = textAt(record.name, `${path}.name`);
  const description = asText(record.description);
  if (type === "custom") return { name, description: description + describeFormat(record.format), schema: null, strict: false };
  const schema = asRecord(record.parameters) ?? { type: "object", properties: {} };
  return { name, description, schema, strict: record.strict === true };
}

/** Reads `tool_choice`; a list of allowed tools removes all others from `tools`. */
export function readToolChoice(value: unknown, tools: Tool[]): Conversation["toolChoice"] {
  if (value === undefined || value === null) return null;
  if (value === "auto" || value === "none" || value === "required") return value;
  const choice = recordAt(value, "tool_choice");
  if (choice.type === "allowed_tools") {
    const allowed = asRecord(choice.allowed_tools) ?? choice;
    const names = new Set(asList(allowed.tools).map((tool) => nameOf(asRecord(tool))));
    tools.splice(0, tools.length, ...tools.filter(({ name }) => names.has(name)));
    return allowed.mode === "required" ? "required" : "auto";
  }
  const name = nameOf(choice);
  if (name === "" || !tools.some((tool) => tool.name === name)) refuse("tool_choice", "names no tool, or one that only OpenAI runs.");
  return { tool: name };
}

function nameOf(tool: JsonRecord | null): string {
  return asText(tool?.name) || asText(asRecord(tool?.function)?.name) || asText(asRecord(tool?.custom)?.name);
}

/** `response_format` (chat: the schema in its own object) or `text.format` (responses). */
export function readFormat(value: unknown, path: string): Format | null {
  const format = asRecord(value);
  if (!format || format.type === "text") return null;
  if (format.type === "json_object") return { kind: "json" };
  if (format.type !== "json_schema") return refuse(`${path}.type`, "can only be text, json_object or json_schema.");
  const spec = asRecord(format.json_schema) ?? format;
  const schema = recordAt(spec.schema, `${path}.schema`);
  return { kind: "schema", name: asText(spec.name) || "answer", schema, strict: spec.strict === true };
}

export function readImage(url: unknown, detail: unknown, path: string): ImagePart {
  return { kind: "image", source: readUrl(textAt(url, path), path), detail: asText(detail) };
}

/** `file` (chat) and `input_file` (responses). */
export function readFile(record: JsonRecord, path: string): FilePart {
  const name = asText(record.filename);
  if (typeof record.file_data === "string") {
    const source = readUrl(record.file_data, `${path}.file_data`);
    // OpenAI also accepts bare base64 here.
    if ("base64" in source) return { kind: "file", source, name };
    return { kind: "file", source: { mediaType: "application/pdf", base64: record.file_data }, name };
  }
  if (typeof record.file_url === "string") return { kind: "file", source: { url: record.file_url }, name };
  return refuse(`${path}.file_id`, "names a file stored at OpenAI, which other providers cannot read.");
}

/** Cache marks are not part of OpenAI's dialects, but clients of several providers send them: kept for providers that use them. */
export function cacheOf(part: JsonRecord): { cache?: unknown } {
  return part.cache_control ? { cache: part.cache_control } : {};
}
