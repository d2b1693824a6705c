/**
 * Output schemas as Anthropic accepts them: it refuses the whole request for an object that is not closed and for keywords it does not
 * know. As its own SDKs do, objects are closed and other keywords become part of the description, which the model reads.
 * Source: platform.claude.com/docs, "Structured outputs", JSON Schema limitations.
 */
import { asRecord, type JsonRecord } from "../json.ts";

const kept = new Set([
  ...["$ref", "type", "enum", "const", "default", "title", "description"],
  ...["properties", "required", "additionalProperties", "items"],
]);
const formats = new Set<unknown>(["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"]);
/** Keywords whose values are schemas by name, and lists of schemas. */
const byName = new Set(["properties", "$defs", "definitions"]);
const lists: Readonly<Record<string, string>> = { anyOf: "anyOf", oneOf: "anyOf", allOf: "allOf" };

/** The schema for `output_config.format`; the given one stays as it is. */
export function anthropicSchema(schema: JsonRecord): JsonRecord {
  const written: JsonRecord = {};
  const rest: JsonRecord = {};
  for (const [name, value] of Object.entries(schema)) {
    const list = Object.hasOwn(lists, name) ? lists[name] : undefined;
    if (byName.has(name)) written[name] = mapValues(asRecord(value) ?? {});
    else if (list && Array.isArray(value)) written[list] = value.map(one);
    else if (name === "items") written.items = one(value);
    else if (kept.has(name) || isKept(name, value)) written[name] = value;
    else if (name !== "$schema") rest[name] = value;
  }
  // One that describes further properties, or asks for them, cannot be closed.
  if (isObject(schema) && schema.additionalProperties === undefined) written.additionalProperties = false;
  if (Object.keys(rest).length === 0) return written;
  const rules = `Must also satisfy: ${JSON.stringify(rest)}`;
  return { ...written, description: typeof schema.description === "string" ? `${schema.description}\n\n${rules}` : rules };
}

function one(schema: unknown): unknown {
  const record = asRecord(schema);
  return record ? anthropicSchema(record) : schema;
}

function mapValues(schemas: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, one(schema)]));
}

function isKept(name: string, value: unknown): boolean {
  return name === "format" ? formats.has(value) : name === "minItems" && (value === 0 || value === 1);
}

function isObject({ type, properties }: JsonRecord): boolean {
  return properties !== undefined || type === "object" || (Array.isArray(type) && type.includes("object"));
}
