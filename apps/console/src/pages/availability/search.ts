import { z } from "zod/mini";
import { filterFields, rangeFields } from "../../statistics/search.ts";

const { provider, model } = filterFields;

/** The state of the availability as its address carries it. */
export const AvailabilitySearch = z.object({ provider, model, ...rangeFields });
export type AvailabilitySearch = z.infer<typeof AvailabilitySearch>;
