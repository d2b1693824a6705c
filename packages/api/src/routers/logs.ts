import { ListLogsInput } from "@sluice/core/inputs/log";
import { GetLogInput, getLog } from "@sluice/services/logs/get-log";
import { listLogs } from "@sluice/services/logs/list-logs";
import { ListLogsByIdsInput, listLogsByIds } from "@sluice/services/logs/list-logs-by-ids";
import { input, procedure, router } from "../trpc.ts";

export const logsRouter = router({
  list: procedure
    .meta({ access: "user" })
    .input(input(ListLogsInput.optional()))
    .query(({ ctx, input }) => listLogs(ctx, input)),
  get: procedure
    .meta({ access: "user" })
    .input(input(GetLogInput))
    .query(({ ctx, input }) => getLog(ctx, input)),
  byIds: procedure
    .meta({ access: "user" })
    .input(input(ListLogsByIdsInput))
    .query(({ ctx, input }) => listLogsByIds(ctx, input)),
});
