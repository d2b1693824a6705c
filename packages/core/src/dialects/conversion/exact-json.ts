import { asRecord, type JsonRecord } from "../json.ts";

/** Numbers that a double may not represent: many digits, or an exponent. Only a hint: it also matches inside strings. */
const riskyNumber = /[\d.]{16,}|\d[eE][+-]?\d/;

/** V8 has these; TypeScript's library does not declare them yet. */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * Parses JSON whose numbers survive `JSON.stringify`: one that a double would round (a 19-digit id in tool arguments) keeps
 * its source text. Throws a SyntaxError like `JSON.parse`.
 */
export function parseExact(text: string): unknown {
  if (!riskyNumber.test(text)) return JSON.parse(text);
  return exactJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? exactJson.rawJSON(source) : value,
  );
}

/** Parses arguments ('' = none); null when they are not a JSON object. */
export function parseArguments(text: string): JsonRecord | null {
  if (text.trim() === "") return {};
  try {
    return asRecord(parseExact(text));
  } catch {
    return null;
  }
}
