import { CreateUserInput, UpdateUserInput } from "@sluice/core/inputs/user";
import { createUser } from "@sluice/services/users/create-user";
import { ListUsersInput, listUsers } from "@sluice/services/users/list-users";
import { updateUser } from "@sluice/services/users/update-user";
import { input, procedure, router } from "../trpc.ts";

export const usersRouter = router({
  list: procedure
    .meta({ access: "admin" })
    .input(input(ListUsersInput.optional()))
    .query(({ ctx, input }) => listUsers(ctx, input)),
  create: procedure
    .meta({ access: "admin" })
    .input(input(CreateUserInput))
    .mutation(({ ctx, input }) => createUser(ctx, input)),
  update: procedure
    .meta({ access: "admin" })
    .input(input(UpdateUserInput))
    .mutation(({ ctx, input }) => updateUser(ctx, input)),
});
