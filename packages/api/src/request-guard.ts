import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { SluiceError } from "@sluice/core/errors";

const MOST_HEADERS = 100;
const host = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Refuses what Node's parser accepts but no honest client sends. Node silently drops headers beyond about a thousand, which might include
 * our own proxy's X-Forwarded-For.
 * @throws SluiceError `too_many_headers`, `invalid_host`, `invalid_target`.
 */
export function checkHead(request: Pick<IncomingMessage, "rawHeaders" | "headers" | "url">): void {
  if (request.rawHeaders.length > MOST_HEADERS * 2) throw new SluiceError("too_many_headers");
  let hosts = 0;
  for (let i = 0; i < request.rawHeaders.length; i += 2) if (request.rawHeaders[i]?.toLowerCase() === "host") hosts += 1;
  if (hosts !== 1 || !host.test(request.headers.host ?? "")) throw new SluiceError("invalid_host");
  if (!request.url?.startsWith("/") || request.url.startsWith("//")) throw new SluiceError("invalid_target");
}

/**
 * Refuses requests that another site made a browser send. Browsers send the origin with every POST, so a state-changing request without
 * one does not come from our pages. Reads may lack both headers (plain HTTP, other tools).
 * @throws SluiceError `bad_origin`.
 */
export function checkOrigin(headers: IncomingHttpHeaders, publicOrigin: string, { changesState }: { changesState: boolean }): void {
  const site = headers["sec-fetch-site"];
  const { origin } = headers;
  if (site !== undefined && site !== "same-origin" && (changesState || site !== "none")) throw new SluiceError("bad_origin");
  if (origin !== undefined) {
    // A proxy may rewrite Host, so the public URL counts as our origin too.
    if (origin !== publicOrigin && origin !== `http://${headers.host}` && origin !== `https://${headers.host}`)
      throw new SluiceError("bad_origin");
  } else if (changesState && site === undefined) throw new SluiceError("bad_origin");
}

const json = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;

/** Whether a body follows the head. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** Bodies must be uncompressed JSON in UTF-8. @throws SluiceError `unsupported_media_type`, `unsupported_encoding`. */
export function checkBodyHeaders(headers: IncomingHttpHeaders): void {
  if (!json.test(headers["content-type"] ?? "")) throw new SluiceError("unsupported_media_type");
  if ((headers["content-encoding"] ?? "identity") !== "identity") throw new SluiceError("unsupported_encoding");
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A body as text. @throws SluiceError `invalid_json` when it is not UTF-8. */
export function decodeBody(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new SluiceError("invalid_json");
  }
}
