import { CompareInput, GetAvailabilityInput, GetLeaderboardInput, GetSeriesInput, GetUsageInput } from "@sluice/core/inputs/statistics";
import { compare } from "@sluice/services/statistics/compare";
import { getAvailability } from "@sluice/services/statistics/get-availability";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { listFilterOptions } from "@sluice/services/statistics/list-filter-options";
import { input, procedure, router } from "../trpc.ts";

export const statisticsRouter = router({
  series: procedure
    .meta({ access: "key" })
    .input(input(GetSeriesInput.optional()))
    .query(({ ctx, input }) => getSeries(ctx, input)),
  usage: procedure
    .meta({ access: "key" })
    .input(input(GetUsageInput.optional()))
    .query(({ ctx, input }) => getUsage(ctx, input)),
  compare: procedure
    .meta({ access: "key" })
    .input(input(CompareInput))
    .query(({ ctx, input }) => compare(ctx, input)),
  leaderboard: procedure
    .meta({ access: "key" })
    .input(input(GetLeaderboardInput))
    .query(({ ctx, input }) => getLeaderboard(ctx, input)),
  filterOptions: procedure.meta({ access: "key" }).query(({ ctx }) => listFilterOptions(ctx)),
  availability: procedure
    .meta({ access: "admin" })
    .input(input(GetAvailabilityInput.optional()))
    .query(({ ctx, input }) => getAvailability(ctx, input)),
});
