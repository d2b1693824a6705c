import { listSessions } from "@sluice/services/sessions/list-sessions";
import { procedure, router } from "../trpc.ts";

export const sessionsRouter = router({
  list: procedure.meta({ access: "user" }).query(({ ctx }) => listSessions(ctx)),
});
