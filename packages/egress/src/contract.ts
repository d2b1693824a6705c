import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Collected } from "./collect.ts";

/** The part of AbortSignal that is needed here, so that a caller with many requests can pass something cheaper. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface EgressRequest {
  /** Absolute http(s) URL of the provider. */
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: Buffer | string;
  signal?: CancelSignal;
  /** URL of a proxy, including its login. Its connections are separate from all others. */
  proxy?: string;
  connectTimeoutMs: number;
  /** Until the response head. */
  headersTimeoutMs: number;
  /** Between two chunks of the body, counted only while we are reading. */
  idleTimeoutMs: number;
}

export interface EgressResponse {
  status: number;
  /** Lower-case names; repeated headers joined with ", ". */
  headers: Record<string, string>;
  /** The decoded body (identity, or gzip/deflate with a size limit); destroying it closes the connection. */
  readonly body: Readable;
  /**
   * Reads the body into memory, up to `limit` bytes, instead of using `body`. Beyond that reading stops, and `body` is the
   * unread rest. @throws the error of the body.
   */
  collect(limit: number): Promise<Collected>;
}

/** The only way out of the process: pools per origin, SSRF guard, c-ares lookups, timeouts, no redirects. */
export interface Egress {
  /**
   * @throws SluiceError `upstream_blocked` (host, address or peer not allowed), `upstream_timeout`,
   * `upstream_encoding` (for a success; the body of an error answer fails with it instead), `upstream_error` (connection refused,
   * reset before the head).
   */
  request(request: EgressRequest): Promise<EgressResponse>;
  /**
   * A bare connection under the same rules, for protocols other than HTTP; the caller ends it.
   * @throws SluiceError `upstream_blocked`, `upstream_timeout`, `upstream_error`.
   */
  connect(to: { host: string; port: number; timeoutMs: number }): Promise<Socket>;
  /** The check that `request` makes, for forms: throws SluiceError `invalid_request` when the URL may never be called. */
  checkUrl(url: string): void;
  /** The same for a proxy's URL. */
  checkProxy(url: string): void;
  close(): Promise<void>;
}
