import type { DialectName } from "../requests.ts";

/** Prefixes that identify a model's maker; all other models are addressed in OpenAI's dialect. */
const families: readonly (readonly [prefix: RegExp, dialect: DialectName])[] = [
  [/^claude/i, "anthropic"],
  [/^(?:gemini|gemma|learnlm)/i, "gemini"],
];

/** OpenAI's own names; a model outside all families can be anyone's. */
const openaiNames = /^(?:gpt|chatgpt|o\d|codex|text-embedding|davinci|babbage)/i;

/** The dialect of a model's maker according to its name; null when the name does not tell. */
export function knownFamilyOf(model: string): DialectName | null {
  const family = familyOf(model);
  return family !== "openai" || openaiNames.test(model) ? family : null;
}

/** The dialect in which a model of this name is usually offered, for providers that serve any model. */
export function familyOf(model: string): DialectName {
  return families.find(([prefix]) => prefix.test(model))?.[1] ?? "openai";
}
