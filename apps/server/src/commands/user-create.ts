import { createUser } from "@sluice/services/users/create-user";
import { type Command, optional, required, UsageError } from "./command.ts";
import { passwordOption, readPassword } from "./password-option.ts";
import { withServices } from "./with-services.ts";

export const userCreate: Command = {
  name: "user create",
  usage: "--email EMAIL --name NAME [--role admin|user] [--password-file FILE|-]",
  summary: "creates a user; without a password file it generates a password and prints it",
  options: { email: { type: "string" }, name: { type: "string" }, role: { type: "string" }, ...passwordOption },
  async run(input) {
    const [email, name] = [required(input, "email"), required(input, "name")];
    const role = optional(input, "role") ?? "user";
    if (role !== "admin" && role !== "user") throw new UsageError("--role must be admin or user");
    const { password, made } = await readPassword(input);
    return withServices(input, async (ctx) => {
      const user = await createUser(ctx, { email, name, role, password });
      input.terminal.err(`Created ${user.role} ${user.email}.`);
      if (made) input.terminal.out(password);
      return 0;
    });
  },
};
