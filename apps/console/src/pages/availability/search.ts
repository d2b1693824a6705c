import { type SearchOf, searchOf } from "../../search-fields.ts";
import { filterFields, rangeFields } from "../../statistics/search.ts";

const { provider, model } = filterFields;

/** The state of the availability as its address carries it. */
export const AvailabilitySearch = searchOf({ provider, model, ...rangeFields });
export type AvailabilitySearch = SearchOf<typeof AvailabilitySearch>;
