import { GetUserStatsInput } from "@sluice/core/inputs/statistics";
import { CreateUserInput, ListUsersInput, PageUsersInput, UpdateUserInput } from "@sluice/core/inputs/user";
import { createUser } from "@sluice/services/users/create-user";
import { DeleteUserInput, deleteUser } from "@sluice/services/users/delete-user";
import { getUserStats } from "@sluice/services/users/get-user-stats";
import { listUsers, pageUsers } from "@sluice/services/users/list-users";
import { updateUser } from "@sluice/services/users/update-user";
import { input, procedure, router } from "../trpc.ts";

export const usersRouter = router({
  list: procedure
    .meta({ access: "admin" })
    .input(input(ListUsersInput.optional()))
    .query(({ ctx, input }) => listUsers(ctx, input)),
  page: procedure
    .meta({ access: "admin" })
    .input(input(PageUsersInput.optional()))
    .query(({ ctx, input }) => pageUsers(ctx, input)),
  stats: procedure
    .meta({ access: "user" })
    .input(input(GetUserStatsInput.optional()))
    .query(({ ctx, input }) => getUserStats(ctx, input)),
  create: procedure
    .meta({ access: "admin" })
    .input(input(CreateUserInput))
    .mutation(({ ctx, input }) => createUser(ctx, input)),
  update: procedure
    .meta({ access: "admin" })
    .input(input(UpdateUserInput))
    .mutation(({ ctx, input }) => updateUser(ctx, input)),
  delete: procedure
    .meta({ access: "admin" })
    .input(input(DeleteUserInput))
    .mutation(({ ctx, input }) => deleteUser(ctx, input)),
});
