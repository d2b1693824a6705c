/** What OpenAI's two dialects are told in the same way. */
import { asList, asRecord, type JsonRecord } from "../json.ts";
import type { Conversation, Effort, TextPart } from "./intermediate.ts";

/** Models that think whatever they are asked: they want `max_completion_tokens`, and an effort means something to them. */
export function isReasoningModel(model: string): boolean {
  return /(?:^|[/:])(?:o\d|gpt-(?:[5-9]|\d{2}|oss)|codex)/i.test(model);
}

/**
 * Of those the ones that OpenAI serves, which refuse a request for its `stop`, its `top_p` or a `temperature` other than 1. Others that go by
 * such names (gpt-oss, -chat) take them.
 */
export function isUnsampled(model: string): boolean {
  return isReasoningModel(model) && !/gpt-oss|-chat\b/i.test(model);
}

/** Old models that refuse to be told how to think. */
const neverThinks = /(?:^|[/:])(?:gpt-(?:3|4)|chatgpt-4)/i;

/** The effort to ask for; null when the client did not say, or the model has none. */
export function effortFor({ reasoning, model, dropped, names }: Conversation): Effort | null {
  if (!reasoning) return null;
  // Off is what a model that cannot think does anyway, and what others may not know how to be told.
  if (reasoning.effort === "none" && !/(?:^|[/:])gpt-(?:5\.[1-9]|[6-9]|\d{2})/i.test(model)) return null;
  if (neverThinks.test(model)) {
    dropped.push(names.reasoning);
    return null;
  }
  if (reasoning.effort !== null) return reasoning.effort === "max" ? "xhigh" : reasoning.effort;
  const budget = reasoning.budgetTokens ?? 0;
  if (budget <= 0) return "medium";
  if (budget <= 4096) return "low";
  return budget <= 16_384 ? "medium" : "high";
}

/** Options that are written the same in both, when they were said. */
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
  // Anthropic's tiers are other tiers.
  if (serviceTier !== null && names.serviceTier === "service_tier" && names.stop !== "stop_sequences") body.service_tier = serviceTier;
  else if (serviceTier !== null) dropped.push(names.serviceTier);
  return body;
}

/** OpenAI refuses user ids of more than 64 characters; Claude Code's are longer. */
function writeUser(user: string, names: Conversation["names"], body: JsonRecord, dropped: string[]): void {
  if (user.length <= 64) body.user = user;
  else dropped.push(names.user);
}

/** Texts of instructions as one. */
export function joinTexts(parts: readonly TextPart[]): string {
  return parts.map(({ text }) => text).join("\n\n");
}

/** Texts and groups as only JavaScript writes them in a regular expression: \p{…}, \u{…}, (?<name>…). */
const javaScriptPattern = /\\[pP]\{|\\u\{|\(\?<[A-Za-z_$]/;
/** Values, not schemas. */
const heldValues = new Set(["default", "const", "enum", "examples"]);

/**
 * The same schema, without patterns that OpenAI cannot read: it reads them as Python, and refuses the whole request for one of them, as
 * Claude Code has in a tool that it always offers.
 */
export function readableSchema(schema: JsonRecord): JsonRecord {
  dropPatterns(schema);
  return schema;
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

/** Whether OpenAI would take a schema as strict: every object closed, and all of its properties required. */
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
