/** Whether every word of a search occurs in one of the texts, ignoring case. */
export function hasWords(search: string, texts: readonly string[]): boolean {
  const text = texts.join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
