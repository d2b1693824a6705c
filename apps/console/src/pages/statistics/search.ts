import { seriesSplits } from "@sluice/core/statistics";
import { inOrder } from "../../ranges/range-search.ts";
import { choice, type SearchOf, searchOf, wholeBetween } from "../../search-fields.ts";
import { measures } from "../../statistics/measures.ts";
import { DEFAULT_RANGE, filterFields, rangeFields } from "../../statistics/search.ts";

/** The state of the statistics, as their address carries it; by default requests of a day by model. */
export const StatisticsSearch = inOrder(
  searchOf({
    ...filterFields,
    ...rangeFields,
    by: choice(seriesSplits),
    measure: choice(measures),
    top: wholeBetween(1, 20),
  }),
  DEFAULT_RANGE,
);
export type StatisticsSearch = SearchOf<typeof StatisticsSearch>;
