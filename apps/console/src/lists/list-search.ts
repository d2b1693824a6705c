import { type SortName, sortNames } from "@sluice/core/sort-names";
import { z } from "zod/mini";

/** What a list of keys or users shows, as the page's address carries it. */
const text = z.catch(z.optional(z.string()), undefined);

export const ListSearch = z.object({
  q: text,
  status: text,
  sort: z.catch(z.optional(z.enum(sortNames)), undefined),
  order: z.catch(z.optional(z.enum(["asc", "desc"])), undefined),
  /** Keys of one user only. */
  user: text,
});
export type ListSearch = z.infer<typeof ListSearch>;

/** The order in force: names begin with A, everything else with the newest or the most. */
export function orderOf({ sort = "created", order }: ListSearch): { sort: SortName; order: "asc" | "desc" } {
  return { sort, order: order ?? (sort === "name" ? "asc" : "desc") };
}

/** The change of the address for a press on a column's head: by it, then the other way round. */
export function sortedBy(search: ListSearch, sort: SortName): Partial<ListSearch> {
  const now = orderOf(search);
  if (now.sort !== sort) return { sort, order: undefined };
  return { sort, order: now.order === "asc" ? "desc" : "asc" };
}

/** Whether anything narrows the list. */
export function isNarrowed({ q, status }: ListSearch): boolean {
  return Boolean(q?.trim() || status);
}
