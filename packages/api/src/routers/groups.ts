import { GroupNameInput, SetGroupInput } from "@sluice/core/inputs/group";
import { deleteGroup } from "@sluice/services/groups/delete-group";
import { listGroups } from "@sluice/services/groups/list-groups";
import { setGroup } from "@sluice/services/groups/set-group";
import { input, procedure, router } from "../trpc.ts";

export const groupsRouter = router({
  list: procedure.meta({ access: "admin" }).query(({ ctx }) => listGroups(ctx)),
  set: procedure
    .meta({ access: "admin" })
    .input(input(SetGroupInput))
    .mutation(({ ctx, input }) => setGroup(ctx, input)),
  delete: procedure
    .meta({ access: "admin" })
    .input(input(GroupNameInput))
    .mutation(({ ctx, input }) => deleteGroup(ctx, input)),
});
