import { ChangePasswordInput } from "@sluice/core/inputs/user";
import { getCurrentLogin } from "@sluice/services/logins/get-current-login";
import { changePassword } from "@sluice/services/users/change-password";
import { input, procedure, router } from "../trpc.ts";

export const loginsRouter = router({
  current: procedure.meta({ access: "public" }).query(({ ctx }) => getCurrentLogin(ctx)),
  changePassword: procedure
    .meta({ access: "user" })
    .input(input(ChangePasswordInput))
    .mutation(({ ctx, input }) => changePassword(ctx, input)),
});
