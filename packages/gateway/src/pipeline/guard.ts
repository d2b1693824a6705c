import { SluiceError } from "@sluice/core/errors";
import type { Call } from "../call.ts";
import type { Runtime } from "../context.ts";

/** A reg-name as DNS and Docker write it, or a bracketed IPv6 literal, each with an optional port. No other part of a URL. */
const hostPattern = /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** Headers that make a request ambiguous when repeated with another value. Node keeps the first and hides the rest. */
const single = new Set(["authorization", "x-api-key", "x-goog-api-key", "content-type", "content-encoding"]);
/** Of these and of `host`: other names need not be read. */
const checkedLengths = new Set([...single, "host"].map((name) => name.length));

/**
 * Refuses what Node's parser accepts although a proxy in front or a provider behind us may read it differently: repeated
 * or malformed Host, absolute-form targets, TRACE and unknown methods, very many headers (Node silently drops those beyond
 * its own limit), repeated credentials.
 */
export function guard(runtime: Runtime, call: Call): void {
  const { req } = call;
  if (runtime.stats.draining) throw new SluiceError("draining", { retryAfterS: 1 });
  // The parser accepts any version in the start line and reads what follows as 1.1.
  if (req.httpVersionMajor !== 1) throw new SluiceError("invalid_request", { message: "Only HTTP/1.1 and HTTP/1.0 are supported." });
  const coding = req.headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    // Another server may see the end of this body elsewhere, so nothing more is read from this connection.
    call.res.shouldKeepAlive = false;
    throw new SluiceError("invalid_request", { message: "Send the body with either content-length or chunked transfer encoding." });
  }
  if (req.rawHeaders.length / 2 > runtime.limits.headers) throw new SluiceError("too_many_headers");
  checkHeaders(req.rawHeaders);
  const target = req.url ?? "";
  if (!target.startsWith("/") || target.length > 8192) throw new SluiceError("invalid_target");
  if (call.routeError) throw call.routeError;
  if (!call.route) throw new SluiceError("not_found");
}

function checkHeaders(raw: readonly string[]): void {
  let host: string | null = null;
  const seen = new Map<string, string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!checkedLengths.has(raw[i]?.length ?? 0)) continue;
    const name = raw[i]?.toLowerCase() ?? "";
    const value = raw[i + 1] ?? "";
    if (name === "host") {
      if (host !== null) throw new SluiceError("invalid_host");
      host = value;
    } else if (single.has(name)) {
      const before = seen.get(name);
      if (before !== undefined && before !== value)
        throw new SluiceError(name.startsWith("content-") ? "invalid_request" : "conflicting_credentials");
      seen.set(name, value);
    }
  }
  if (host === null || !hostPattern.test(host)) throw new SluiceError("invalid_host");
}
