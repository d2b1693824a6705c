import { GetOverviewInput } from "@sluice/core/inputs/overview";
import { getOverview } from "@sluice/services/overview/get-overview";
import { input, procedure, router } from "../trpc.ts";

export const overviewRouter = router({
  get: procedure
    .meta({ access: "user" })
    .input(input(GetOverviewInput.optional()))
    .query(({ ctx, input }) => getOverview(ctx, input)),
});
