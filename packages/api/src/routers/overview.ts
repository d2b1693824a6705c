import { GetLatencyInput, GetOverviewInput } from "@sluice/core/inputs/overview";
import { getLatency } from "@sluice/services/overview/get-latency";
import { getOverview } from "@sluice/services/overview/get-overview";
import { input, procedure, router } from "../trpc.ts";

export const overviewRouter = router({
  get: procedure
    .meta({ access: "user" })
    .input(input(GetOverviewInput.optional()))
    .query(({ ctx, input }) => getOverview(ctx, input)),
  latency: procedure
    .meta({ access: "user" })
    .input(input(GetLatencyInput.optional()))
    .query(({ ctx, input }) => getLatency(ctx, input)),
});
