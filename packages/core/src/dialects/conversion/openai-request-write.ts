/** What OpenAI's two dialects share when writing requests. */
import { asList, asRecord, type JsonRecord } from "../json.ts";
import type { Conversation, Effort, TextPart } from "./intermediate.ts";

/** Models that always reason: they require `max_completion_tokens` and accept an effort. */
export function isReasoningModel(model: string): boolean {
  return /(?:^|[/:])(?:o\d|gpt-(?:[5-9]|\d{2}|oss)|codex)/i.test(model);
}

/**
 * The ones that OpenAI itself serves: they refuse a request that has `stop`, `top_p` or a `temperature` other than 1. Others with
 * such names (gpt-oss, -chat) accept these.
 */
export function isUnsampled(model: string): boolean {
  return isReasoningModel(model) && !/gpt-oss|-chat\b/i.test(model);
}

/** Older models that refuse a reasoning effort. */
const neverThinks = /(?:^|[/:])(?:gpt-(?:3|4)|chatgpt-4)/i;

/** OpenAI refuses an effort that a model does not have: the lowest and the highest ones came and went with its generations. */
const rareEfforts: Readonly<Record<string, RegExp>> = {
  minimal: /(?:^|[/:])gpt-5(?![.\d])/i,
  xhigh: /(?:^|[/:])gpt-(?:5\.1-codex-max|5\.[2-9]|5\.\d\d|[6-9]|\d\d)/i,
  max: /(?:^|[/:])gpt-(?:5\.[6-9]|5\.\d\d|[6-9]|\d\d)/i,
};

/** The nearest effort that every reasoning model has, unless the model is known to have this one. */
function knownEffort(effort: Effort, model: string): Effort {
  if (rareEfforts[effort]?.test(model) ?? true) return effort;
  if (effort === "minimal") return "low";
  return effort === "max" ? knownEffort("xhigh", model) : "high";
}

/** The effort to request; null when the client set none or the model has none. */
export function effortFor({ reasoning, model, dropped, names }: Conversation): Effort | null {
  if (!reasoning) return null;
  // Models that cannot reason need no "none", and other models may not accept it.
  if (reasoning.effort === "none" && !/(?:^|[/:])gpt-(?:5\.[1-9]|[6-9]|\d{2})/i.test(model)) return null;
  if (neverThinks.test(model)) {
    dropped.push(names.reasoning);
    return null;
  }
  if (reasoning.effort !== null) return knownEffort(reasoning.effort, model);
  const budget = reasoning.budgetTokens ?? 0;
  if (budget <= 0) return "medium";
  if (budget <= 4096) return "low";
  return budget <= 16_384 ? "medium" : "high";
}

/** Options that both write the same way, where set. */
export function writeOptions(conversation: Conversation): JsonRecord {
  const { model, temperature, topP, topK, parallelTools, serviceTier, user, cacheKey, tools, dropped, names } = conversation;
  const body: JsonRecord = {};
  for (const [name, value] of [
    ["temperature", temperature],
    ["top_p", topP],
  ] as const) {
    if (value === null) continue;
    if (!isUnsampled(model)) body[name] = value;
    else if (value !== 1) dropped.push(name);
  }
  if (topK !== null) dropped.push(names.topK);
  if (parallelTools !== null && tools.length > 0) body.parallel_tool_calls = parallelTools;
  if (user !== null) writeUser(user, names, body, dropped);
  if (cacheKey !== null) body.prompt_cache_key = cacheKey;
  // Anthropic's tiers are not OpenAI's.
  if (serviceTier !== null && names.serviceTier === "service_tier" && names.stop !== "stop_sequences") body.service_tier = serviceTier;
  else if (serviceTier !== null) dropped.push(names.serviceTier);
  return body;
}

/** OpenAI refuses user ids of more than 64 characters; Claude Code's are longer. */
function writeUser(user: string, names: Conversation["names"], body: JsonRecord, dropped: string[]): void {
  if (user.length <= 64) body.user = user;
  else dropped.push(names.user);
}

/** Instructions joined into one text. */
export function joinTexts(parts: readonly TextPart[]): string {
  return parts.map(({ text }) => text).join("\n\n");
}

/** Syntax that JavaScript regular expressions have and Python's lack: \p{…}, \u{…}, (?<name>…). */
const javaScriptPattern = /\\[pP]\{|\\u\{|\(\?<[A-Za-z_$]/;
/** Keywords that hold values rather than schemas. */
const heldValues = new Set(["default", "const", "enum", "examples"]);

/**
 * The same schema, modified in place, without patterns that OpenAI cannot read: it parses them as Python and refuses the whole request
 * because of one, and Claude Code always offers a tool that has one.
 */
export function readableSchema(schema: JsonRecord): JsonRecord {
  dropPatterns(schema);
  return schema;
}

/** A tool's parameters. OpenAI refuses an object without `properties`, which is how many tools (of MCP servers) say that they take none. */
export function toolParameters(schema: JsonRecord): JsonRecord {
  return { type: "object", properties: {}, ...readableSchema(schema) };
}

function dropPatterns(schema: unknown): void {
  if (Array.isArray(schema)) for (const one of schema) dropPatterns(one);
  const record = asRecord(schema);
  if (!record) return;
  if (typeof record.pattern === "string" && javaScriptPattern.test(record.pattern)) delete record.pattern;
  const byName = asRecord(record.patternProperties);
  for (const name of Object.keys(byName ?? {})) if (byName && javaScriptPattern.test(name)) delete byName[name];
  for (const [name, value] of Object.entries(record)) if (!heldValues.has(name)) dropPatterns(value);
}

/** Whether OpenAI accepts a schema as strict: every object closed and all of its properties required. */
export function fitsStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(fitsStrict);
  const record = asRecord(schema);
  if (!record) return true;
  const properties = asRecord(record.properties);
  if (properties) {
    const required = asList(record.required);
    if (record.additionalProperties !== false || !Object.keys(properties).every((name) => required.includes(name))) return false;
  }
  return Object.values(record).every(fitsStrict);
}
