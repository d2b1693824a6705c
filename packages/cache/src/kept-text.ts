import SuperJSON, { type SuperJSONResult } from "superjson";

/**
 * The serialised form of an answer, by superjson: dates, bigint and undefined survive. Most answers are plain JSON, mostly numbers;
 * superjson takes ten times as long to find that out as this check does.
 */
export function keptText(value: unknown): string {
  return isJson(value, MOST_DEPTH) ? `{"json":${JSON.stringify(value)}}` : SuperJSON.stringify(value);
}

/** A copy of the value that was passed to {@link keptText}. */
export function valueOfKept(text: string): unknown {
  const kept = JSON.parse(text) as SuperJSONResult;
  return kept.meta === undefined ? kept.json : SuperJSON.deserialize(kept);
}

/** A deeper value may be circular. */
const MOST_DEPTH = 32;

/** Whether JSON represents it without loss. */
function isJson(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object") return typeof value === "string" || typeof value === "boolean";
  if (value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    // `every` would skip holes.
    for (const each of value) if (!isJson(each, depth - 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((each) => isJson(each, depth - 1));
}
