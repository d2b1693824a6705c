import { z } from "zod";

/** The id of something, as it is kept: who writes UUIDs in capitals means the same, and names of books, events and caches are texts. */
export const uuidField = z.uuid().toLowerCase();

/** The same of a text that may be a name as well, in which capitals are others. */
export function sameId(text: string): string {
  const id = uuidField.safeParse(text);
  return id.success ? id.data : text;
}
