import { listNames } from "@sluice/services/names/list-names";
import { procedure, router } from "../trpc.ts";

export const namesRouter = router({
  list: procedure.meta({ access: "user" }).query(({ ctx }) => listNames(ctx)),
});
