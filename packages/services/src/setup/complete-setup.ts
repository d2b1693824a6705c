import { timingSafeEqual } from "node:crypto";
import { SluiceError } from "@sluice/core/errors";
import { SetupInput } from "@sluice/core/inputs/user";
import { hashToken } from "@sluice/db/secrets";
import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { type CreatedLogin, type LoginOrigin, openLogin } from "../logins/create-login.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { createUser } from "../users/create-user.ts";
import { adminExists, SETUP_TOKEN } from "./prepare-setup.ts";

/**
 * Creates the first administrator with the token that the server printed, and signs them in. Of two concurrent calls one succeeds.
 * @throws SluiceError `bad_credentials` (wrong or used token), `conflict` (an administrator exists), `login_throttled`.
 */
export async function completeSetup(ctx: Ctx, input: z.input<typeof SetupInput>, origin: LoginOrigin): Promise<CreatedLogin> {
  const { token, ...user } = parse(SetupInput, input);
  await ctx.throttle.attempt(ctx.ip, "setup");
  return withTransaction({ ...ctx, actor: { kind: "system", name: "boot" } }, async (ctx) => {
    if (await adminExists(ctx)) throw new SluiceError("conflict", { message: "An administrator already exists. Sign in instead." });
    const stored = await ctx.transaction.tx.installation.findUnique({ where: { name: SETUP_TOKEN } });
    if (!stored || !timingSafeEqual(Buffer.from(stored.value), Buffer.from(hashToken(token)))) {
      throw new SluiceError("bad_credentials", {
        message: "The setup token is wrong or has been replaced: see the server's last start.",
        field: "token",
      });
    }
    await ctx.transaction.tx.installation.delete({ where: { name: SETUP_TOKEN } });
    const admin = await createUser(ctx, { ...user, role: "admin" });
    return openLogin(ctx, admin, origin);
  });
}
