import { SluiceError } from "../errors.ts";
import type { DialectName } from "../requests.ts";

const bearer = /^bearer +(\S+)$/i;

/** Repeated headers arrive as arrays (or joined); each is a credential of its own. */
function* values(header: string | string[] | undefined): Generator<string> {
  for (const value of Array.isArray(header) ? header : [header]) if (value?.trim()) yield value.trim();
}

/**
 * The one credential of a request: `Authorization: Bearer`, `x-api-key`, `x-goog-api-key`, and `?key=` on Gemini's
 * paths only. The same one sent twice is one. Other Authorization schemes belong to proxies on the way and are ignored.
 * @throws SluiceError missing_key, conflicting_credentials.
 */
export function readCredential(
  headers: Record<string, string | string[] | undefined>,
  query: URLSearchParams,
  dialect: DialectName,
): string {
  const found = new Set<string>();
  for (const value of values(headers.authorization)) {
    const token = bearer.exec(value)?.[1];
    if (token) found.add(token);
  }
  for (const value of values(headers["x-api-key"])) found.add(value);
  for (const value of values(headers["x-goog-api-key"])) found.add(value);
  if (dialect === "gemini") for (const value of query.getAll("key")) if (value) found.add(value);
  if (found.size > 1) throw new SluiceError("conflicting_credentials");
  for (const credential of found) return credential;
  throw new SluiceError("missing_key");
}
