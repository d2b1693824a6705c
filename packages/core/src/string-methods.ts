/**
 * Methods of strings as functions, for loops over text. V8 has more kinds of strings (flat, sliced, external, …) than an inline cache
 * holds: `text.charCodeAt(i)` is then a lookup that takes five times as long as the rest of the loop. These are looked up once.
 */
const { charCodeAt, indexOf, startsWith } = String.prototype;

/** The UTF-16 unit at `at`; NaN outside of the text. */
export function unitAt(text: string, at: number): number {
  return charCodeAt.call(text, at);
}

/** `text.indexOf(part, from)`. */
export function find(text: string, part: string, from: number): number {
  return indexOf.call(text, part, from);
}

/** `text.startsWith(part, at)`. */
export function hasAt(text: string, part: string, at: number): boolean {
  return startsWith.call(text, part, at);
}
