/**
 * Gives what blanks these texts wherever they stand in another one: as they are, or as JSON or a URL writes them
 * (`\/`, `\u002f`, `%2F`). Empty ones are none.
 */
export function maskTexts(hidden: readonly string[]): (text: string) => string {
  // The longest first: what begins with another one would keep its end.
  const wanted = [...new Set(hidden)].filter((text) => text !== "").toSorted((a, b) => b.length - a.length);
  if (wanted.length === 0) return (text) => text;
  const pattern = new RegExp(wanted.map((text) => text.split("").map(spelled).join("")).join("|"), "g");
  return (text) => text.replaceAll(pattern, "…");
}

/** A pattern of one UTF-16 unit in all its spellings. */
function spelled(unit: string): string {
  if (/\w/.test(unit)) return unit;
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  const inUrl = hex.startsWith("00") ? `|%(?:${hex.slice(2)}|${hex.slice(2).toUpperCase()})` : "";
  return `(?:\\\\?\\u${hex}|\\\\u(?:${hex}|${hex.toUpperCase()})${inUrl})`;
}
