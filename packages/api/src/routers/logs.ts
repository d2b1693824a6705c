import { ListLogsInput } from "@sluice/core/inputs/log";
import { CancelRequestInput, cancelRequest } from "@sluice/services/logs/cancel-request";
import { GetLogInput, getLog } from "@sluice/services/logs/get-log";
import { listLogModels } from "@sluice/services/logs/list-log-models";
import { listLogs } from "@sluice/services/logs/list-logs";
import { ListLogsByIdsInput, listLogsByIds } from "@sluice/services/logs/list-logs-by-ids";
import { LogHistogramInput, logHistogram } from "@sluice/services/logs/log-histogram";
import { input, procedure, router } from "../trpc.ts";

export const logsRouter = router({
  list: procedure
    .meta({ access: "key" })
    .input(input(ListLogsInput.optional()))
    .query(({ ctx, input }) => listLogs(ctx, input)),
  get: procedure
    .meta({ access: "key" })
    .input(input(GetLogInput))
    .query(({ ctx, input }) => getLog(ctx, input)),
  cancel: procedure
    .meta({ access: "user" })
    .input(input(CancelRequestInput))
    .mutation(({ ctx, input }) => cancelRequest(ctx, input)),
  byIds: procedure
    .meta({ access: "key" })
    .input(input(ListLogsByIdsInput))
    .query(({ ctx, input }) => listLogsByIds(ctx, input)),
  histogram: procedure
    .meta({ access: "key" })
    .input(input(LogHistogramInput.optional()))
    .query(({ ctx, input }) => logHistogram(ctx, input)),
  models: procedure.meta({ access: "key" }).query(({ ctx }) => listLogModels(ctx)),
});
