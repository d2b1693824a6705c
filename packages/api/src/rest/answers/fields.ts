import { z } from "zod";

/** The field types that answers consist of, with their descriptions in the document. */
export const idField = z.string().meta({ description: "A UUID; empty where there is none, or none for this caller." });
export const nanoUsd = z
  .string()
  .meta({ description: "Signed decimal integer in nano-USD; 1,000,000,000 is one USD.", examples: ["1250000"] });
export const usd = z.string().meta({ description: "USD as a plain decimal." });
export const atMs = z.number().meta({ description: "Milliseconds since 1970-01-01T00:00:00Z." });
export const ms = z.number().meta({ description: "Milliseconds." });
export const count = z.number().meta({ description: "A count, 0 or more." });

/** Position of the next page. */
export const cursorFields = {
  nextCursor: z.string().nullable().meta({ description: "`cursor` of the next page; null on the last one." }),
  hasMore: z.boolean().meta({ description: "Whether there is a next page; a page may be short or empty and still be followed by more." }),
};

/** One page of a list, by cursor. */
export function cursorPageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), ...cursorFields });
}

/** One page of a list, by page number. */
export function numberedPageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    total: count,
    page: z.number(),
    pageSize: z.number(),
    totalPages: count,
    hasNext: z.boolean(),
    hasPrev: z.boolean(),
  });
}

/** When a statistic was computed, and whether it came from the cache. */
export const answeredFields = {
  asOf: atMs,
  cache: z.enum(["hit", "miss", "bypass"]).meta({ description: "Whether it comes from the cache; bypass: the cache was not used." }),
};
