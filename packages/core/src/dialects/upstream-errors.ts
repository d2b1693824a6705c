import type { ErrorCode } from "../errors.ts";
import type { UpstreamError } from "./dialect.ts";
import { asList, asRecord, asText, type JsonRecord, jsonText } from "./json.ts";
import { cleanMessage } from "./reading.ts";

const MAX_RETRY_AFTER_S = 86_400;

/** Seconds to wait, from `retry-after-ms`, `retry-after` (seconds or an HTTP date) or Google's RetryInfo; null when absent. */
export function readRetryAfter(headers: Record<string, string>, error: unknown, nowMs = Date.now()): number | null {
  const bounded = (seconds: number) => (Number.isFinite(seconds) ? Math.min(MAX_RETRY_AFTER_S, Math.max(0, Math.ceil(seconds))) : null);
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d+(\.\d+)?$/.test(ms)) return bounded(Number(ms) / 1000);
  const after = headers["retry-after"];
  if (after !== undefined) {
    if (/^\d+(\.\d+)?$/.test(after)) return bounded(Number(after));
    const date = Date.parse(after);
    if (!Number.isNaN(date)) return bounded((date - nowMs) / 1000);
  }
  for (const detail of asList(asRecord(error)?.details)) {
    const delay = /^(\d+(?:\.\d+)?)s$/.exec(asText(asRecord(detail)?.retryDelay))?.[1];
    if (delay !== undefined) return bounded(Number(delay));
  }
  return null;
}

interface Meaning {
  code: ErrorCode;
  failover: boolean;
  countsAgainstProvider: boolean;
}

const clientError = (code: ErrorCode): Meaning => ({ code, failover: false, countsAgainstProvider: false });
const failed = (code: ErrorCode): Meaning => ({ code, failover: true, countsAgainstProvider: true });

const meanings: Record<number, Meaning> = {
  400: clientError("invalid_request"),
  404: clientError("not_found"),
  413: clientError("body_too_large"),
  422: clientError("invalid_request"),
  401: failed("upstream_auth"),
  402: failed("upstream_auth"),
  403: failed("upstream_auth"),
  408: failed("upstream_timeout"),
  409: failed("upstream_error"),
  429: failed("upstream_rate_limited"),
  503: failed("upstream_overloaded"),
  504: failed("upstream_timeout"),
  529: failed("upstream_overloaded"),
};

/** An account without funds answers 429 or 400: waiting does not help, and the request is not at fault. */
const exhausted = /insufficient_quota|credit balance is too low|billing_hard_limit/i;

/** Parses an error object. Google wraps it in a list for streams that never began, and in its OpenAI-compatible API always. */
function parseError(text: string): JsonRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    return asRecord(Array.isArray(value) ? value[0] : value);
  } catch {
    return null;
  }
}

/**
 * Interprets an error status, with one table for all dialects, since all follow HTTP. A client's own errors would occur
 * anywhere, so they neither fail over nor count. A redirect is an error, because it is never followed.
 */
export function readUpstreamError(status: number, headers: Record<string, string>, body: Buffer): UpstreamError {
  const json = body.length <= 1_048_576 ? parseError(jsonText(body)) : null;
  const error = asRecord(json?.error) ?? json;
  const other = status >= 400 && status < 500 ? clientError("invalid_request") : failed("upstream_error");
  const isExhausted =
    (status === 400 || status === 429) && exhausted.test(`${asText(error?.code)} ${asText(error?.type)} ${asText(error?.message)}`);
  const text = asText(error?.message) || asText(json?.error) || asText(json?.detail) || (json ? "" : body.toString("utf8", 0, 500));
  return {
    ...(isExhausted ? failed("upstream_auth") : (meanings[status] ?? other)),
    message: cleanMessage(text) || `HTTP ${status}`,
    retryAfterS: readRetryAfter(headers, error),
  };
}
