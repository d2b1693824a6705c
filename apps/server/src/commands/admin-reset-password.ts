import { SluiceError } from "@sluice/core/errors";
import { findUser } from "@sluice/services/users/find-user";
import { updateUser } from "@sluice/services/users/update-user";
import { type Command, required } from "./command.ts";
import { passwordOption, readPassword } from "./password-option.ts";
import { withServices } from "./with-services.ts";

export const adminResetPassword: Command = {
  name: "admin reset-password",
  usage: "--email EMAIL [--password-file FILE|-]",
  summary: "resets a user's password and signs them out everywhere",
  options: { email: { type: "string" }, ...passwordOption },
  async run(input) {
    const email = required(input, "email");
    const { password, made } = await readPassword(input);
    return withServices(input, async (ctx) => {
      const user = await findUser(ctx, email);
      if (!user) throw new SluiceError("not_found", { message: `There is no user ${email}.` });
      await updateUser(ctx, { id: user.id, password });
      input.terminal.err(`${user.email} (${user.role}) has a new password and is signed out everywhere.`);
      if (!user.enabled) input.terminal.err("This user is disabled and still cannot sign in.");
      if (made) input.terminal.out(password);
      return 0;
    });
  },
};
