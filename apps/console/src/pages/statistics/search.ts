import { seriesSplits } from "@sluice/core/statistics";
import { choice, type SearchOf, searchOf, wholeBetween } from "../../search-fields.ts";
import { measures } from "../../statistics/measures.ts";
import { filterFields, rangeFields } from "../../statistics/search.ts";

/** The state of the statistics as their address carries it; requests of a day by model when it says nothing. */
export const StatisticsSearch = searchOf({
  ...filterFields,
  ...rangeFields,
  by: choice(seriesSplits),
  measure: choice(measures),
  top: wholeBetween(1, 20),
});
export type StatisticsSearch = SearchOf<typeof StatisticsSearch>;
