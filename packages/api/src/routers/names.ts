import { listNames } from "@sluice/services/names/list-names";
import { procedure, router } from "../trpc.ts";

export const namesRouter = router({
  list: procedure.meta({ access: "key" }).query(({ ctx }) => listNames(ctx)),
});
