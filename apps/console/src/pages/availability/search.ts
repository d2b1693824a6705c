import { inOrder } from "../../ranges/range-search.ts";
import { type SearchOf, searchOf } from "../../search-fields.ts";
import { DEFAULT_RANGE, filterFields, rangeFields } from "../../statistics/search.ts";

const { provider, model } = filterFields;

/** The state of the availability page, as its address carries it. */
export const AvailabilitySearch = inOrder(searchOf({ provider, model, ...rangeFields }), DEFAULT_RANGE);
export type AvailabilitySearch = SearchOf<typeof AvailabilitySearch>;
