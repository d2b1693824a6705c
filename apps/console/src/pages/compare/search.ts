import { compareSplits } from "@sluice/core/statistics";
import { inOrder } from "../../ranges/range-search.ts";
import { anyName, choice, type SearchOf, searchOf, text } from "../../search-fields.ts";
import { measures } from "../../statistics/measures.ts";
import { DEFAULT_RANGE, rangeFields } from "../../statistics/search.ts";

/** The state of a comparison, as its address carries it. */
export const CompareSearch = inOrder(
  searchOf({
    by: choice(compareSplits),
    /** The compared ids, separated by commas, each encoded. */
    ids: text,
    measure: choice(measures),
    ...rangeFields,
  }),
  DEFAULT_RANGE,
);
export type CompareSearch = SearchOf<typeof CompareSearch>;

export const MOST_COMPARED = 5;

export function idsOf({ ids }: CompareSearch): string[] {
  return [...new Set((ids ?? "").split(",").flatMap((id) => anyName(decoded(id)) || []))].slice(0, MOST_COMPARED);
}

export function idsText(ids: readonly string[]): string | undefined {
  return ids.length > 0 ? ids.map(encodeURIComponent).join(",") : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
