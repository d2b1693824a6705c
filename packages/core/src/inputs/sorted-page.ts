import { z } from "zod";
import { isId } from "../ids.ts";
import { sortNames } from "../sort-names.ts";
import { PageInput } from "./page.ts";

/** The last item of a page in the requested order: `<id>`, or `<id>~<sort value>`. Opaque to clients. */
const sortedCursor = z
  .string()
  .max(400)
  .refine((cursor) => isId(cursor.slice(0, 36)) && (cursor.length === 36 || cursor[36] === "~"), "is not a cursor");

/** Like core/inputs/page, with a choice of order. */
export const SortedPageInput = PageInput.extend({
  cursor: sortedCursor.nullish(),
  sort: z.enum(sortNames).default("created"),
  order: z.enum(["asc", "desc"]).default("desc"),
});

const MOST_PER_PAGE = 100;

/** A page by its number, for small tables. Page sizes above 100 are reduced to 100. */
export const NumberedPageInput = SortedPageInput.omit({ cursor: true, limit: true }).extend({
  page: z.int().min(1).max(1_000_000).default(1),
  pageSize: z
    .int()
    .min(1)
    .default(20)
    .transform((size) => Math.min(size, MOST_PER_PAGE)),
});

export interface NumberedPage<T> {
  items: T[];
  /** Number of all items that match the filter. */
  total: number;
  page: number;
  pageSize: number;
  /** 0 when nothing matches. */
  totalPages: number;
  hasNext: boolean;
  hasPrev: boolean;
}

/** Builds the envelope. A page past the end has no items but has a previous page. */
export function numberedPage<T>(items: T[], total: number, { page, pageSize }: { page: number; pageSize: number }): NumberedPage<T> {
  const totalPages = Math.ceil(total / pageSize);
  return { items, total, page, pageSize, totalPages, hasNext: page < totalPages, hasPrev: page > 1 && totalPages > 0 };
}
