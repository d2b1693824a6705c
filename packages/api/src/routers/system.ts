import { PageInput } from "@sluice/core/inputs/page";
import { getSystem } from "@sluice/services/system/get-system";
import { listQuarantine } from "@sluice/services/system/list-quarantine";
import { input, procedure, router } from "../trpc.ts";

export const systemRouter = router({
  get: procedure.meta({ access: "admin" }).query(({ ctx }) => getSystem(ctx)),
  quarantine: procedure
    .meta({ access: "admin" })
    .input(input(PageInput.optional()))
    .query(({ ctx, input }) => listQuarantine(ctx, input)),
});
