/**
 * Returns a function that masks these texts in another text, whether they occur literally or escaped as in JSON or a URL (`\/`, `\u002f`,
 * `%2F`). Empty texts are ignored.
 */
export function maskTexts(hidden: readonly string[]): (text: string) => string {
  // Longest first: where one text begins with another, the end of the longer one would otherwise stay.
  const wanted = [...new Set(hidden)].filter((text) => text !== "").toSorted((a, b) => b.length - a.length);
  if (wanted.length === 0) return (text) => text;
  const pattern = new RegExp(wanted.map((text) => text.split("").map(spelled).join("")).join("|"), "g");
  return (text) => text.replaceAll(pattern, "…");
}

/** Shorter words of a header value are not credentials, and masking them would garble the provider's message. */
const SHORTEST_WORD = 8;
const credentialName = /auth|token|key|secret|passw|credential|cookie|signature/i;

/** The words of header values that may be credentials. Words, because a provider may repeat a credential without its `Bearer`. */
export function wordsOfHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap((value) => value.split(/\s+/).filter((word) => word.length >= SHORTEST_WORD));
}

/** The same, limited to headers whose names suggest a credential. */
export function credentialsOfHeaders(headers: Readonly<Record<string, string>>): string[] {
  return wordsOfHeaders(Object.fromEntries(Object.entries(headers).filter(([name]) => credentialName.test(name))));
}

/** A pattern that matches one UTF-16 unit in all its spellings. */
function spelled(unit: string): string {
  if (/\w/.test(unit)) return unit;
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  const inUrl = hex.startsWith("00") ? `|%(?:${hex.slice(2)}|${hex.slice(2).toUpperCase()})` : "";
  return `(?:\\\\?\\u${hex}|\\\\u(?:${hex}|${hex.toUpperCase()})${inUrl})`;
}
