import { SluiceError } from "@sluice/core/errors";
import { KeyLoginInput } from "@sluice/core/inputs/user";
import { hashToken } from "@sluice/db/secrets";
import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import { type CreatedLogin, type LoginOrigin, openLogin } from "./create-login.ts";
import { findKeyActor } from "./find-key-actor.ts";

/**
 * Signs in by a client key alone, to see read-only what that key did. The login ends with the key, and when the secret used for it
 * becomes invalid. Throttled like passwords; a correct secret learns why its key is refused.
 * @throws SluiceError `forbidden` (setting `portal.keySignIn`), `login_throttled`, and those of {@link findKeyActor}.
 */
export async function createKeyLogin(ctx: Ctx, input: z.input<typeof KeyLoginInput>, origin: LoginOrigin): Promise<CreatedLogin> {
  const { key } = parse(KeyLoginInput, input);
  if (ctx.snapshot.current().settings["portal.keySignIn"] === "off")
    throw new SluiceError("forbidden", { message: "Sign-in with a key is turned off here." });
  const sha256 = hashToken(key);
  const account = `key:${sha256}`;
  await ctx.throttle.attempt(ctx.ip, account);
  const actor = await findKeyActor(ctx, key, ctx.ip);
  await ctx.throttle.succeeded(ctx.ip, account);
  const user = { id: actor.userId, email: "", name: actor.name, role: "key" as const };
  return withTransaction({ ...ctx, actor }, (ctx) => openLogin(ctx, user, { ...origin, keySha256: sha256 }));
}
