import { randomBytes } from "node:crypto";
import { hashToken } from "@sluice/db/secrets";

/** 256 random bits, as the cookie carries them. */
export function newLoginToken(): string {
  return randomBytes(32).toString("base64url");
}

/** The id under which Postgres stores a login: the SHA-256 of its token, so that a leaked table lets nobody in. */
export function loginIdOf(token: string): string {
  return hashToken(token);
}

/** Whether a cookie has the form of a token; anything else is refused without a query. */
export function isLoginToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}
