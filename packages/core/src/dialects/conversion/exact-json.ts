import { asRecord, type JsonRecord } from "../json.ts";

/** Numbers that a double may not keep: many digits, or an exponent. A hint: it also matches inside texts. */
const riskyNumber = /[\d.]{16,}|\d[eE][+-]?\d/;

/** V8 has these; TypeScript's library does not know them yet. */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * JSON whose numbers survive being written again by `JSON.stringify`: one that a double would round (an id of 19
 * digits in a tool's arguments) is kept as its text. Throws a SyntaxError like `JSON.parse`.
 */
export function parseExact(text: string): unknown {
  if (!riskyNumber.test(text)) return JSON.parse(text);
  return exactJson.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? exactJson.rawJSON(source) : value,
  );
}

/** The object that a text of arguments says ('' = none); null when it is no JSON object. */
export function parseArguments(text: string): JsonRecord | null {
  if (text.trim() === "") return {};
  try {
    return asRecord(parseExact(text));
  } catch {
    return null;
  }
}
