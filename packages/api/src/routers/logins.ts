import { getCurrentLogin } from "@sluice/services/logins/get-current-login";
import { procedure, router } from "../trpc.ts";

export const loginsRouter = router({
  current: procedure.meta({ access: "public" }).query(({ ctx }) => getCurrentLogin(ctx)),
});
