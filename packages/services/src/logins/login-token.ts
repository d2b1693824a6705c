import { randomBytes } from "node:crypto";
import { hashToken } from "@sluice/db/secrets";

/** 256 random bits as they stand in the cookie. */
export function newLoginToken(): string {
  return randomBytes(32).toString("base64url");
}

/** The id under which Postgres knows a token: its SHA-256, so that the table alone lets nobody in. */
export function loginIdOf(token: string): string {
  return hashToken(token);
}

/** Whether a cookie could be a token at all; anything else costs no query. */
export function isLoginToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}
