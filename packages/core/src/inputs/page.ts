import { z } from "zod";
import { isId } from "../ids.ts";

/**
 * One form of paging for every list: request with `cursor` and `limit`, receive `items`, `nextCursor` and `hasMore`. A cursor is the
 * id of the last item returned, or how far a bounded search came; clients treat it as opaque. The order is by id, newest
 * first, so rows inserted during a walk never appear twice and nothing is skipped.
 */
export const PageInput = z.strictObject({
  /** `nextCursor` of the previous page; absent or null = start at the newest. */
  cursor: z.string().max(64).refine(isId, "is not a cursor").nullish(),
  limit: z.int().min(1).max(200).default(20),
});

export interface Page<T> {
  items: T[];
  /** null on the last page. */
  nextCursor: string | null;
  /** Whether there may be more after `nextCursor`; a page may be short or even empty and still not be the last. */
  hasMore: boolean;
}
