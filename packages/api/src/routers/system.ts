import { getRetention } from "@sluice/services/system/get-retention";
import { getSystem } from "@sluice/services/system/get-system";
import { procedure, router } from "../trpc.ts";

export const systemRouter = router({
  get: procedure.meta({ access: "admin" }).query(({ ctx }) => getSystem(ctx)),
  retention: procedure.meta({ access: "admin" }).query(({ ctx }) => getRetention(ctx)),
});
