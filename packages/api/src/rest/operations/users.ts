import { CreateUserInput, ListUsersInput, PageUsersInput, UpdateUserInput } from "@sluice/core/inputs/user";
import { createUser } from "@sluice/services/users/create-user";
import { DeleteUserInput, deleteUser } from "@sluice/services/users/delete-user";
import { listUsers, pageUsers } from "@sluice/services/users/list-users";
import { updateUser } from "@sluice/services/users/update-user";
import { numberedUserPage, userPage, userView } from "../answers/users.ts";
import { type Operation, operation } from "../operation.ts";

const tag = "Users";

export const userOperations: readonly Operation[] = [
  operation({
    ...{ id: "listUsers", at: "GET /users", access: "admin", tag },
    summary: "List users by cursor",
    ...{ input: ListUsersInput, answer: userPage, verb: listUsers },
  }),
  operation({
    ...{ id: "pageUsers", at: "GET /users/pages", access: "admin", tag },
    summary: "List users by page number, with totals",
    ...{ input: PageUsersInput, answer: numberedUserPage, verb: pageUsers },
  }),
  operation({
    ...{ id: "createUser", at: "POST /users", access: "admin", tag },
    summary: "Create a user",
    ...{ input: CreateUserInput, answer: userView, verb: createUser },
  }),
  operation({
    ...{ id: "updateUser", at: "PATCH /users/{id}", access: "admin", tag },
    summary: "Update the given fields",
    ...{ input: UpdateUserInput, answer: userView, verb: updateUser },
  }),
  operation({
    ...{ id: "deleteUser", at: "DELETE /users/{id}", access: "admin", tag },
    summary: "Delete a user who has no keys and no history",
    ...{ input: DeleteUserInput, answer: null, verb: deleteUser },
  }),
];
