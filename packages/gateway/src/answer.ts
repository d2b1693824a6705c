import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { requestIdHeaders } from "@sluice/core/dialects/dialect";
import { SluiceError } from "@sluice/core/errors";
import type { Call } from "./call.ts";
import type { Runtime } from "./context.ts";

/** How much of an unwanted body is still read, so that the client sees the answer before the connection closes. */
const discardBytes = 64 * 1024;

/** Copying a larger body costs more than a second write. */
const oneWriteBytes = 8 * 1024;

/** Adds the request id under both of its names, and the time spent so far (W3C Server Timing). */
export function withFacts(call: Call, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  for (const name of requestIdHeaders) headers[name] = call.id;
  headers["server-timing"] = serverTiming(call);
  return headers;
}

/**
 * `gateway` is the time from the request's head to the head of this answer without waiting for providers: reading the body, limits,
 * routing, conversion and, for whole answers, making the charge durable. `upstream` is the rest, over all attempts.
 */
function serverTiming({ clock, startedAt, upstreamMs, row }: Call): string {
  const own = hundredths(Math.max(0, clock.monotonic() - startedAt - upstreamMs));
  return row.attempts === 0 ? `gateway;dur=${own}` : `gateway;dur=${own}, upstream;dur=${hundredths(upstreamMs)}`;
}

/** With two digits after the point; `toFixed` takes several times as long. */
function hundredths(ms: number): string {
  const rounded = Math.round(ms * 100);
  const part = rounded % 100;
  return `${(rounded - part) / 100}.${part < 10 ? "0" : ""}${part}`;
}

/** Sends a whole JSON (or passed-through) answer. Does nothing when the client is gone. */
export function sendWhole(call: Call, status: number, headers: OutgoingHttpHeaders, body: Buffer | string): void {
  const { res } = call;
  if (call.gone || res.headersSent || res.destroyed) return;
  call.detail.responseBytes = Buffer.byteLength(body);
  const sent: OutgoingHttpHeaders = { ...headers, "content-length": call.detail.responseBytes };
  res.writeHead(status, withFacts(call, sent));
  // Node sends a string and the head in one write, but a buffer in two; latin1 maps each byte to one character.
  if (typeof body === "string" || body.length > oneWriteBytes) res.end(body);
  else res.end(body.toString("latin1"), "latin1");
}

/** The error as clients may see it: which address was not reached, and why, stays internal. */
export function publicError(error: SluiceError): SluiceError {
  if (error.code !== "upstream_blocked") return error;
  return new SluiceError("upstream_error", { message: error.message, detail: error.detail, cause: error });
}

/** Sends an error in the caller's dialect. */
export function sendError(runtime: Runtime, call: Call, error: SluiceError): void {
  const shown = publicError(error);
  const headers: OutgoingHttpHeaders = { "content-type": "application/json", ...call.limitHeaders };
  if (shown.retryAfterS !== undefined) headers["retry-after"] = String(shown.retryAfterS);
  if (shown.status === 405) headers.allow = call.row.endpoint === "models" ? "GET, HEAD" : "POST";
  if (!call.req.complete) discardRest(call, error.code === "body_too_large" ? runtime.limits.bodyBytes + discardBytes : discardBytes);
  sendWhole(call, shown.status, headers, call.dialect.errorBody(shown, call.id));
}

/** Keeps reading for a while without storing anything, then closes the connection. */
function discardRest(call: Call, upTo: number): void {
  const { req } = call;
  let left = upTo - call.detail.requestBytes;
  req.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) req.socket.destroy();
  });
  req.on("error", () => undefined);
  req.resume();
}

/** Ends a stream that has begun with the dialect's error event, or by cutting the connection when the format has none. */
export function endWithError(
  call: Call,
  res: ServerResponse,
  error: SluiceError,
  stream: { inBand: boolean; betweenEvents: boolean },
): void {
  if (res.destroyed) return;
  if (!stream.inBand) {
    res.destroy();
    return;
  }
  if (!stream.betweenEvents) res.write("\n\n");
  res.end(call.dialect.errorEvent(publicError(error), call.id, call.row.endpoint));
}
