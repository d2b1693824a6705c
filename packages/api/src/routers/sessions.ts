import { GetSessionInput, getSession } from "@sluice/services/sessions/get-session";
import { listSessions } from "@sluice/services/sessions/list-sessions";
import { TerminateSessionInput, terminateSession } from "@sluice/services/sessions/terminate-session";
import { input, procedure, router } from "../trpc.ts";

export const sessionsRouter = router({
  list: procedure.meta({ access: "key" }).query(({ ctx }) => listSessions(ctx)),
  get: procedure
    .meta({ access: "key" })
    .input(input(GetSessionInput))
    .query(({ ctx, input }) => getSession(ctx, input)),
  terminate: procedure
    .meta({ access: "user" })
    .input(input(TerminateSessionInput))
    .mutation(({ ctx, input }) => terminateSession(ctx, input)),
});
