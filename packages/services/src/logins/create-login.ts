import { SluiceError } from "@sluice/core/errors";
import { LoginInput } from "@sluice/core/inputs/user";
import type { z } from "zod";
import { audit } from "../audit.ts";
import type { Actor, Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { type TxCtx, withTransaction } from "../transaction.ts";
import { loginIdOf, newLoginToken } from "./login-token.ts";
import { verifyPassword } from "./password.ts";

/** Maximum lifetime of a login, even in constant use. */
export const LOGIN_MS = 30 * 24 * 3_600_000;

/** A new login; `token` goes into the cookie and is not stored. */
export interface CreatedLogin {
  token: string;
  expiresAtMs: number;
  /** For a login by key: the id of its owner and the name of the key. */
  user: { id: string; email: string; name: string; role: "admin" | "user" | "key" };
}

/** What a login records of the browser, and the login it replaces. */
export interface LoginOrigin {
  userAgent: string;
  /** The token that the browser already had: its login ends, so that a planted cookie is worthless. */
  previousToken?: string;
  /** Hash of the key's secret for a login by key; absent for a user. */
  keySha256?: string;
}

/**
 * Signs in by e-mail and password. Unknown e-mail, wrong password, no password and disabled user give the same answer and take the same
 * time.
 * @throws SluiceError `bad_credentials`, `login_throttled`, `overloaded`.
 */
export async function createLogin(ctx: Ctx, input: z.input<typeof LoginInput>, origin: LoginOrigin): Promise<CreatedLogin> {
  const { email, password } = parse(LoginInput, input);
  await ctx.throttle.attempt(ctx.ip, email);
  const user = await ctx.prisma.user.findUnique({ where: { tenantId_email: { tenantId: ctx.tenantId, email } } });
  const fits = await verifyPassword(user?.passwordHash ?? null, password);
  if (!user || !fits || user.disabledAt !== null) {
    ctx.log.info({ requestId: ctx.requestId, ip: ctx.ip }, "a sign-in was refused");
    throw new SluiceError("bad_credentials");
  }
  await ctx.throttle.succeeded(ctx.ip, email);
  const actor: Actor = { kind: "user", userId: user.id, role: user.role, email, name: user.name, loginId: "" };
  return withTransaction({ ...ctx, actor }, async (ctx) => {
    // A password changed during the verification has ended all logins, so none may be created after that.
    const same = await ctx.transaction.tx.$queryRaw<unknown[]>`SELECT id FROM users
      WHERE id = ${user.id}::uuid AND password_hash = ${user.passwordHash} AND disabled_at IS NULL FOR SHARE`;
    if (same.length === 0) throw new SluiceError("bad_credentials");
    return openLogin(ctx, user, origin);
  });
}

/** Creates the login itself, for verbs that have already authenticated the user. */
export async function openLogin(ctx: TxCtx, user: CreatedLogin["user"], origin: LoginOrigin): Promise<CreatedLogin> {
  const { tx } = ctx.transaction;
  const token = newLoginToken();
  const id = loginIdOf(token);
  const nowMs = ctx.clock.now();
  const expiresAtMs = nowMs + LOGIN_MS;
  if (origin.previousToken) {
    const previous = loginIdOf(origin.previousToken);
    await tx.login.deleteMany({ where: { id: previous } });
    ctx.logins.forget(previous);
  }
  await tx.login.deleteMany({ where: { userId: user.id, expiresAt: { lt: new Date(nowMs) } } });
  await tx.login.create({
    data: {
      id,
      userId: user.id,
      createdAt: new Date(nowMs),
      lastSeenAt: new Date(nowMs),
      expiresAt: new Date(expiresAtMs),
      ip: ctx.ip,
      userAgent: origin.userAgent.slice(0, 300),
      keySha256: origin.keySha256 ?? null,
    },
  });
  const of = { userId: user.id, ...(ctx.actor.kind === "key" && { keyId: ctx.actor.keyId }) };
  // The id is a hash of the cookie's token; part of it suffices to tell logins apart in the audit.
  await audit(ctx, { action: "login.create", targetKind: "login", targetId: id.slice(0, 16), after: of });
  return { token, expiresAtMs, user: { id: user.id, email: user.email, name: user.name, role: user.role } };
}
