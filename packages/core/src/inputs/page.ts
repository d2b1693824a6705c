import { z } from "zod";
import { isId } from "../ids.ts";

/**
 * Pages of every list, one form: ask with `cursor` and `limit`, get `items`, `nextCursor` and `hasMore`. A cursor is the
 * id of the last item given, or how far a bounded search came; whoever walks hands it back unread. Order is by id,
 * newest first, so what is inserted during a walk is never met twice and nothing is left out.
 */
export const PageInput = z.strictObject({
  /** `nextCursor` of the page before; absent or null = from the newest. */
  cursor: z.string().max(64).refine(isId, "not a cursor").nullish(),
  limit: z.int().min(1).max(200).default(20),
});

export interface Page<T> {
  items: T[];
  /** null on the last page. */
  nextCursor: string | null;
  /** Whether `nextCursor` leads on; a page may be short, or empty, and still have more behind it. */
  hasMore: boolean;
}
