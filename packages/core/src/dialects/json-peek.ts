/**
 * Looks into JSON text without parsing it, for the hot path: most events of a stream carry a few words of text and
 * nothing else. Good for a hint (parse this one) and for estimates, never for numbers that are billed.
 */

/**
 * Bytes of the first non-empty JSON string that stands under one of the keys, without parsing: an upper-level key's
 * quotes are never escaped, a model's own text always has them escaped. Good for estimates only, never for usage.
 */
export function stringBytes(data: string, keys: readonly string[]): number {
  for (const key of keys) {
    let from = 0;
    for (;;) {
      const found = data.indexOf(key, from);
      if (found < 0) break;
      from = found + key.length;
      let at = from;
      while (data.charCodeAt(at) === 0x20) at++;
      if (data.charCodeAt(at) !== 0x3a) continue;
      at++;
      while (data.charCodeAt(at) === 0x20) at++;
      if (data.charCodeAt(at) !== 0x22) continue;
      const bytes = escapedLength(data, at + 1);
      if (bytes > 0) return bytes;
    }
  }
  return 0;
}

/** Length of the JSON string whose content begins at `from`, an escape counted as what it stands for. */
function escapedLength(data: string, from: number): number {
  let bytes = 0;
  for (let i = from; i < data.length; i++) {
    const code = data.charCodeAt(i);
    if (code === 0x22) return bytes;
    if (code === 0x5c) {
      i++;
      if (data.charCodeAt(i) === 0x75) {
        i += 4;
        bytes += 2;
      }
    }
    bytes++;
  }
  return bytes;
}

/** Whether a key has a value other than null: the cheap sign that an event is worth parsing. */
export function hasValue(data: string, key: string): boolean {
  let from = 0;
  for (;;) {
    const found = data.indexOf(key, from);
    if (found < 0) return false;
    from = found + key.length;
    let at = from;
    while (data.charCodeAt(at) === 0x20 || data.charCodeAt(at) === 0x0a) at++;
    if (data.charCodeAt(at) !== 0x3a) continue;
    at++;
    while (data.charCodeAt(at) === 0x20 || data.charCodeAt(at) === 0x0a) at++;
    if (data.charCodeAt(at) !== 0x6e) return true;
  }
}
