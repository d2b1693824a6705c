/**
 * Looks into JSON text without parsing it, for the hot path: most stream events carry a few words of text and nothing
 * else. Good for hints (whether to parse an event) and estimates, never for numbers that are billed.
 */
import { find, unitAt } from "../string-methods.ts";

/**
 * Bytes of the first non-empty JSON string under one of the keys. It cannot be confused by a model's own text, in which
 * quotes are always escaped.
 */
export function stringBytes(data: string, keys: readonly string[]): number {
  for (const key of keys) {
    let from = 0;
    for (;;) {
      const found = find(data, key, from);
      if (found < 0) break;
      from = found + key.length;
      let at = from;
      while (unitAt(data, at) === 0x20) at++;
      if (unitAt(data, at) !== 0x3a) continue;
      at++;
      while (unitAt(data, at) === 0x20) at++;
      if (unitAt(data, at) !== 0x22) continue;
      const bytes = escapedLength(data, at + 1);
      if (bytes > 0) return bytes;
    }
  }
  return 0;
}

/** Length of the JSON string whose content begins at `from`, with each escape counted as what it stands for. */
function escapedLength(data: string, from: number): number {
  let bytes = 0;
  for (let i = from; i < data.length; i++) {
    const code = unitAt(data, i);
    if (code === 0x22) return bytes;
    if (code === 0x5c) {
      i++;
      if (unitAt(data, i) === 0x75) {
        i += 4;
        bytes += 2;
      }
    }
    bytes++;
  }
  return bytes;
}

/** Whether a key has a value other than null: a cheap test whether an event is worth parsing. */
export function hasValue(data: string, key: string): boolean {
  let from = 0;
  for (;;) {
    const found = find(data, key, from);
    if (found < 0) return false;
    from = found + key.length;
    let at = from;
    while (unitAt(data, at) === 0x20 || unitAt(data, at) === 0x0a) at++;
    if (unitAt(data, at) !== 0x3a) continue;
    at++;
    while (unitAt(data, at) === 0x20 || unitAt(data, at) === 0x0a) at++;
    if (unitAt(data, at) !== 0x6e) return true;
  }
}
