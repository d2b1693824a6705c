import { z } from "zod";

/** An id in its stored form: UUIDs in capitals are accepted, but books, events and caches compare ids as text. */
export const uuidField = z.uuid().toLowerCase();

/** The same for a text that may also be a name, whose capitals are kept. */
export function sameId(text: string): string {
  const id = uuidField.safeParse(text);
  return id.success ? id.data : text;
}
