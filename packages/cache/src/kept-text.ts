import SuperJSON, { type SuperJSONResult } from "superjson";

/**
 * The text that is kept of an answer, superjson's: dates, bigint and undefined come out as they went in. Most answers are JSON as it is,
 * mostly numbers; superjson takes ten times as long to find that out as it takes to see it here.
 */
export function keptText(value: unknown): string {
  return isJson(value, MOST_DEPTH) ? `{"json":${JSON.stringify(value)}}` : SuperJSON.stringify(value);
}

/** What {@link keptText} was made of, as a copy. */
export function valueOfKept(text: string): unknown {
  const kept = JSON.parse(text) as SuperJSONResult;
  return kept.meta === undefined ? kept.json : SuperJSON.deserialize(kept);
}

/** What goes deeper may go round in a circle. */
const MOST_DEPTH = 32;

/** Whether nothing is lost of it in JSON. */
function isJson(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object") return typeof value === "string" || typeof value === "boolean";
  if (value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    // Not by every, which passes over holes.
    for (const each of value) if (!isJson(each, depth - 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((each) => isJson(each, depth - 1));
}
