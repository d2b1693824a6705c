import { type SortName, sortNames } from "@sluice/core/sort-names";
import { choice, type SearchOf, searchOf, text, uuid } from "../search-fields.ts";

/** The state of a list of keys or users, as the page's address carries it. */
export const ListSearch = searchOf({
  q: text,
  status: text,
  sort: choice(sortNames),
  order: choice(["asc", "desc"]),
  /** Only keys of this user. */
  user: uuid,
});
export type ListSearch = SearchOf<typeof ListSearch>;

/** The longest text that the server searches for. */
const MOST_TEXT = 120;

/** The current sort order: names start with A, everything else with the newest or highest. */
export function orderOf({ sort = "created", order }: ListSearch): { sort: SortName; order: "asc" | "desc" } {
  return { sort, order: order ?? (sort === "name" ? "asc" : "desc") };
}

/** The change of the address for a click on a column header: sorts by the column, or reverses the order. */
function sortedBy(search: ListSearch, sort: SortName): Partial<ListSearch> {
  const now = orderOf(search);
  if (now.sort !== sort) return { sort, order: undefined };
  return { sort, order: now.order === "asc" ? "desc" : "asc" };
}

/** Whether a filter is set. */
export function isNarrowed({ q, status }: ListSearch): boolean {
  return Boolean(q?.trim() || status);
}

/** The fields of a list's input that keys and users share. */
export function listInput(search: ListSearch): { search?: string; sort: SortName; order: "asc" | "desc" } {
  const text = search.q?.trim().slice(0, MOST_TEXT);
  return { ...(text && { search: text }), ...orderOf(search) };
}

interface PagedList {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** How a list of rows follows the address and reads on: properties of `RowList`. */
export function pagedRows(search: ListSearch, list: PagedList, onChange: (change: Partial<ListSearch>) => void) {
  return {
    ...orderOf(search),
    filter: JSON.stringify(search),
    hasMore: list.hasNextPage,
    onSort: (sort: SortName) => onChange(sortedBy(search, sort)),
    onEnd() {
      if (!list.isFetchingNextPage) void list.fetchNextPage();
    },
  };
}
