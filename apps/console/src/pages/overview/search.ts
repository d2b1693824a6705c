import { overviewRanges, overviewSplits } from "@sluice/core/overview-range";
import { z } from "zod/mini";

/** The state of the overview as its address carries it; a day by model when it says nothing. */
export const OverviewSearch = z.object({
  range: z.catch(z.optional(z.enum(overviewRanges)), undefined),
  by: z.catch(z.optional(z.enum(overviewSplits)), undefined),
});
