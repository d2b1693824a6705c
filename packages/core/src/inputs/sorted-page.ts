import { z } from "zod";
import { isId } from "../ids.ts";
import { sortNames } from "../sort-names.ts";
import { PageInput } from "./page.ts";

/** The last item of a page in the order asked for: `<id>`, or `<id>~<value it is sorted by>`. Handed back unread. */
const sortedCursor = z
  .string()
  .max(400)
  .refine((cursor) => isId(cursor.slice(0, 36)) && (cursor.length === 36 || cursor[36] === "~"), "not a cursor");

/** As core/inputs/page, in an order of choice. */
export const SortedPageInput = PageInput.extend({
  cursor: sortedCursor.nullish(),
  sort: z.enum(sortNames).default("created"),
  order: z.enum(["asc", "desc"]).default("desc"),
});

const MOST_PER_PAGE = 100;

/** A page by its number, for small tables. More than 100 a page are not given, whoever asks for more gets 100. */
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
  /** All that the filter matches. */
  total: number;
  page: number;
  pageSize: number;
  /** 0 when there is nothing. */
  totalPages: number;
  hasNext: boolean;
  hasPrev: boolean;
}

/** The envelope; a page past the end has no items and a page before it. */
export function numberedPage<T>(items: T[], total: number, { page, pageSize }: { page: number; pageSize: number }): NumberedPage<T> {
  const totalPages = Math.ceil(total / pageSize);
  return { items, total, page, pageSize, totalPages, hasNext: page < totalPages, hasPrev: page > 1 && totalPages > 0 };
}
