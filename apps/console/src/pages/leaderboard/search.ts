import { leaderboardOf, leaderboardPeriods, leaderboardSorts } from "@sluice/core/statistics";
import { inOrder } from "../../ranges/range-search.ts";
import { choice, type SearchOf, searchOf, wholeBetween } from "../../search-fields.ts";
import { DEFAULT_RANGE, rangeFields } from "../../statistics/search.ts";

const { from, to, zone } = rangeFields;

/** The state of the leaderboard, as its address carries it; by default models by cost in the current month. */
export const LeaderboardSearch = inOrder(
  searchOf({
    of: choice(leaderboardOf),
    sort: choice(leaderboardSorts),
    period: choice(leaderboardPeriods),
    page: wholeBetween(1, 1_000_000),
    ...{ from, to, zone },
  }),
  DEFAULT_RANGE,
);
export type LeaderboardSearch = SearchOf<typeof LeaderboardSearch>;
