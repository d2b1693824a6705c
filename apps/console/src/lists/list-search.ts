import { type SortName, sortNames } from "@sluice/core/sort-names";
import { choice, type SearchOf, searchOf, text, uuid } from "../search-fields.ts";

/** What a list of keys or users shows, as the page's address carries it. */
export const ListSearch = searchOf({
  q: text,
  status: text,
  sort: choice(sortNames),
  order: choice(["asc", "desc"]),
  /** Keys of one user only. */
  user: uuid,
});
export type ListSearch = SearchOf<typeof ListSearch>;

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
