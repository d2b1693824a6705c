import { overviewRanges, overviewSplits } from "@sluice/core/overview-range";
import { choice, searchOf } from "../../search-fields.ts";

/** The state of the overview as its address carries it; a day by model when it says nothing. */
export const OverviewSearch = searchOf({
  range: choice(overviewRanges),
  by: choice(overviewSplits),
});
