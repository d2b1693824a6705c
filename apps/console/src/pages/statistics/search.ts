import { seriesSplits } from "@sluice/core/statistics";
import { z } from "zod/mini";
import { measures } from "../../statistics/measures.ts";
import { filterFields, rangeFields } from "../../statistics/search.ts";

/** The state of the statistics as their address carries it; requests of a day by model when it says nothing. */
export const StatisticsSearch = z.object({
  ...filterFields,
  ...rangeFields,
  by: z.catch(z.optional(z.enum(seriesSplits)), undefined),
  measure: z.catch(z.optional(z.enum(measures)), undefined),
  top: z.catch(z.optional(z.coerce.number().check(z.int(), z.gte(1), z.lte(20))), undefined),
});
export type StatisticsSearch = z.infer<typeof StatisticsSearch>;
