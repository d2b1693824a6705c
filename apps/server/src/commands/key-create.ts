import { SluiceError } from "@sluice/core/errors";
import { createKey } from "@sluice/services/keys/create-key";
import { findUser } from "@sluice/services/users/find-user";
import { type Command, optional, optionalInteger, required } from "./command.ts";
import { withServices } from "./with-services.ts";

export const keyCreate: Command = {
  name: "key create",
  usage: "--user EMAIL --name NAME [--group GROUP] [--rpm N] [--in-flight N]",
  summary: "creates a key and prints it once",
  options: {
    user: { type: "string" },
    name: { type: "string" },
    group: { type: "string" },
    rpm: { type: "string" },
    "in-flight": { type: "string" },
  },
  async run(input) {
    const [email, name] = [required(input, "user"), required(input, "name")];
    const limits = { rpm: optionalInteger(input, "rpm"), inFlight: optionalInteger(input, "in-flight") };
    return withServices(input, async (ctx) => {
      const user = await findUser(ctx, email);
      if (!user)
        throw new SluiceError("not_found", {
          message: `There is no user ${email}. Create one with: user create --email ${email} --name NAME`,
        });
      const { secret } = await createKey(ctx, { userId: user.id, name, group: optional(input, "group"), ...limits });
      input.terminal.out(secret);
      return 0;
    });
  },
};
