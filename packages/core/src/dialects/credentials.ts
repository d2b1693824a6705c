import { SluiceError } from "../errors.ts";
import type { DialectName } from "../requests.ts";

const bearer = /^bearer +(\S+)$/i;

/**
 * The one credential of a request: `Authorization: Bearer`, `x-api-key`, `x-goog-api-key`, and `?key=` on Gemini's
 * paths only. The same value sent twice counts once. Other Authorization schemes belong to proxies on the way and are ignored.
 * @throws SluiceError missing_key, conflicting_credentials.
 */
export function readCredential(
  headers: Record<string, string | string[] | undefined>,
  query: URLSearchParams,
  dialect: DialectName,
): string {
  let found = "";
  const take = (value: string): void => {
    if (value === "" || value === found) return;
    if (found !== "") throw new SluiceError("conflicting_credentials");
    found = value;
  };
  each(headers.authorization, (value) => take(bearer.exec(value)?.[1] ?? ""));
  each(headers["x-api-key"], take);
  each(headers["x-goog-api-key"], take);
  if (dialect === "gemini") for (const value of query.getAll("key")) take(value);
  if (found === "") throw new SluiceError("missing_key");
  return found;
}

/** Node joins repeated headers or returns them as an array; each value is a credential of its own. */
function each(header: string | string[] | undefined, take: (value: string) => void): void {
  if (header === undefined) return;
  if (typeof header !== "string") for (const value of header) take(value.trim());
  else if (!header.includes(", ")) take(header.trim());
  else for (const value of header.split(", ")) take(value.trim());
}
