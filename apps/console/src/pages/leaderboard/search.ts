import { leaderboardOf, leaderboardPeriods, leaderboardSorts } from "@sluice/core/statistics";
import { z } from "zod/mini";
import { rangeFields } from "../../statistics/search.ts";

const { from, to, zone } = rangeFields;

/** The state of the leaderboard as its address carries it; models by cost of this month when it says nothing. */
export const LeaderboardSearch = z.object({
  of: z.catch(z.optional(z.enum(leaderboardOf)), undefined),
  sort: z.catch(z.optional(z.enum(leaderboardSorts)), undefined),
  period: z.catch(z.optional(z.enum(leaderboardPeriods)), undefined),
  page: z.catch(z.optional(z.coerce.number().check(z.int(), z.gte(1))), undefined),
  ...{ from, to, zone },
});
export type LeaderboardSearch = z.infer<typeof LeaderboardSearch>;
