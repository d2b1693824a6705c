import { ReportVitalsInput } from "@sluice/core/inputs/vitals";
import { getFigures } from "@sluice/services/system/get-figures";
import { getRetention } from "@sluice/services/system/get-retention";
import { getSystem } from "@sluice/services/system/get-system";
import { reportVitals } from "@sluice/services/system/report-vitals";
import { input, procedure, router } from "../trpc.ts";

export const systemRouter = router({
  get: procedure.meta({ access: "admin" }).query(({ ctx }) => getSystem(ctx)),
  figures: procedure.meta({ access: "admin" }).query(({ ctx }) => getFigures(ctx)),
  reportVitals: procedure
    .meta({ access: "key" })
    .input(input(ReportVitalsInput))
    .mutation(({ ctx, input }) => reportVitals(ctx, input)),
  retention: procedure.meta({ access: "admin" }).query(({ ctx }) => getRetention(ctx)),
});
