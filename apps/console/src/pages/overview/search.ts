import { overviewRanges, overviewSplits } from "@sluice/core/overview-range";
import { choice, searchOf } from "../../search-fields.ts";

/** The state of the overview, as its address carries it; by default a day by model. */
export const OverviewSearch = searchOf({
  range: choice(overviewRanges),
  by: choice(overviewSplits),
});
