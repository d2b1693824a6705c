import type { DialectName } from "../requests.ts";

/** Model names say whose they are by their beginning; everything else is spoken to in OpenAI's dialect. */
const families: readonly (readonly [prefix: RegExp, dialect: DialectName])[] = [
  [/^claude/i, "anthropic"],
  [/^(?:gemini|gemma|learnlm)/i, "gemini"],
];

/** OpenAI's own names; what is in no family may be anybody's. */
const openaiNames = /^(?:gpt|chatgpt|o\d|codex|text-embedding|davinci|babbage)/i;

/** Whose a model is by its name; null when the name does not say. */
export function knownFamilyOf(model: string): DialectName | null {
  const family = familyOf(model);
  return family !== "openai" || openaiNames.test(model) ? family : null;
}

/** The dialect in which a model of this name is usually offered: for lists of providers that serve "any" model. */
export function familyOf(model: string): DialectName {
  return families.find(([prefix]) => prefix.test(model))?.[1] ?? "openai";
}
