import { SluiceError } from "@sluice/core/errors";
import type { KeyLoginInput, LoginInput, SetupInput } from "@sluice/core/inputs/user";
import { createKeyLogin } from "@sluice/services/logins/create-key-login";
import { type CreatedLogin, createLogin, type LoginOrigin } from "@sluice/services/logins/create-login";
import { endLogin } from "@sluice/services/logins/end-login";
import { completeSetup } from "@sluice/services/setup/complete-setup";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { LoginCookie } from "./login-cookie.ts";

/** Sign-in, sign-out and setup, as plain routes because they set and clear the cookie. */
export function addLoginRoutes(app: FastifyInstance, cookie: LoginCookie): void {
  const origin = (request: FastifyRequest): LoginOrigin => ({
    userAgent: request.headers["user-agent"] ?? "",
    previousToken: cookie.read(request),
  });
  const signedIn = (reply: FastifyReply, login: CreatedLogin): { user: CreatedLogin["user"] } => {
    cookie.set(reply, login.token, login.expiresAtMs);
    return { user: login.user };
  };

  app.post("/auth/login", { config: { access: "public" } }, async (request, reply) =>
    signedIn(reply, await createLogin(request.ctx, bodyOf<LoginInput>(request), origin(request))),
  );
  app.post("/auth/key-login", { config: { access: "public" } }, async (request, reply) =>
    signedIn(reply, await createKeyLogin(request.ctx, bodyOf<z.input<typeof KeyLoginInput>>(request), origin(request))),
  );
  app.post("/auth/setup", { config: { access: "public" } }, async (request, reply) =>
    signedIn(reply, await completeSetup(request.ctx, bodyOf<SetupInput>(request), origin(request))),
  );
  app.post("/auth/logout", { config: { access: "public" } }, async (request, reply) => {
    await endLogin(request.ctx);
    cookie.clear(reply);
    return { ok: true };
  });
}

/** The body as JSON; the verb validates its shape. @throws SluiceError `invalid_json`. */
function bodyOf<T>(request: FastifyRequest): T {
  try {
    return JSON.parse(String(request.body)) as T;
  } catch {
    throw new SluiceError("invalid_json");
  }
}
