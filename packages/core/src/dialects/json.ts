/** JSON from outside, read field by field: no field is assumed to have its documented type. */
export type JsonRecord = Record<string, unknown>;

/** The value if it is a plain object, else null. */
export function asRecord(value: unknown): JsonRecord | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonRecord) : null;
}

/** The value if it is an array, else an empty one. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value if it is a string, else ''. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The text of a provider's JSON body. A byte order mark in front is ignored, as clients' `response.json()` does. */
export function jsonText(body: Buffer): string {
  const text = body.toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** The parsed object, or null when the text is not a JSON object. Never throws. */
export function parseRecord(text: string): JsonRecord | null {
  try {
    return asRecord(JSON.parse(text));
  } catch {
    return null;
  }
}
