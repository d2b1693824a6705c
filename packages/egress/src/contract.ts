import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Collected } from "./collect.ts";

/** What is needed of an AbortSignal, so that a caller with many requests may bring a cheaper one. */
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
  /** URL of a proxy to go through, with its login: its connections are kept apart from all others. */
  proxy?: string;
  connectTimeoutMs: number;
  /** Until the response head. */
  headersTimeoutMs: number;
  /** Between two chunks of the body, counted only while we are willing to read. */
  idleTimeoutMs: number;
}

export interface EgressResponse {
  status: number;
  /** Lower-case names; repeated ones joined with ", ". */
  headers: Record<string, string>;
  /** The decoded body (identity, or gzip/deflate opened under a cap); destroying it closes the connection. */
  readonly body: Readable;
  /**
   * Reads the body into memory up to `limit` bytes, in place of `body`. Beyond it reading stops, and `body` is what
   * has not been read yet. @throws what the body fails with.
   */
  collect(limit: number): Promise<Collected>;
}

/** The only way out of the process: pools per origin, SSRF guard, c-ares lookups, timeouts, no redirects. */
export interface Egress {
  /**
   * @throws SluiceError `upstream_blocked` (host, address or peer not allowed), `upstream_timeout`,
   * `upstream_encoding` (of a success; of an error it is what the body fails with), `upstream_error` (connection refused, reset before the head).
   */
  request(request: EgressRequest): Promise<EgressResponse>;
  /**
   * A bare connection under the same rules, for what is not HTTP; the caller ends it.
   * @throws SluiceError `upstream_blocked`, `upstream_timeout`, `upstream_error`.
   */
  connect(to: { host: string; port: number; timeoutMs: number }): Promise<Socket>;
  /** The rule that `request` applies, for forms: throws SluiceError `invalid_request` when the URL may never be called. */
  checkUrl(url: string): void;
  /** The same of a proxy's URL. */
  checkProxy(url: string): void;
  close(): Promise<void>;
}
