import { z } from "zod";

/** The id of something, as it is kept: who writes UUIDs in capitals means the same, and names of books, events and caches are texts. */
export const uuidField = z.uuid().toLowerCase();
