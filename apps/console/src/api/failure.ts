import { type ErrorCode, errorCatalogue } from "@sluice/core/errors";

/** An error in terms of the console. Its text comes from the code, in the reader's language. */
export interface Failure {
  /** A code of the catalogue; `network` when no answer arrived. */
  code: ErrorCode | "network";
  /** HTTP status; 0 when no answer arrived. */
  status: number;
  /** The server's message, in English; shown only where the code is not specific enough. */
  message: string;
  requestId: string;
  retryable: boolean;
  /** Field at fault; empty when there is none. */
  field: string;
}

const known = new Set<string>(Object.keys(errorCatalogue));

function isCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && known.has(code);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Reads `{ code, message, requestId, retryable, field }` from the server's error envelope. */
export function failureOf(envelope: unknown, status: number): Failure {
  const fields = record(envelope);
  const code = isCode(fields.code) ? fields.code : codeOfStatus(status);
  return {
    code,
    status,
    message: text(fields.message),
    requestId: text(fields.requestId),
    retryable: typeof fields.retryable === "boolean" ? fields.retryable : code === "network" || status >= 500,
    field: text(fields.field),
  };
}

function codeOfStatus(status: number): Failure["code"] {
  if (status === 0) return "network";
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status >= 502 && status <= 504) return "unavailable";
  return status >= 500 ? "internal" : "invalid_request";
}

/** Converts anything thrown by the client to a failure. Errors of our plain routes already carry one. */
export function readFailure(thrown: unknown): Failure {
  if (thrown instanceof PlainError) return thrown.failure;
  const error = record(thrown);
  const data = record(error.data);
  const status = typeof data.httpStatus === "number" ? data.httpStatus : 0;
  return failureOf({ message: text(error.message), ...data }, status);
}

/** A refusal of a plain route (`/auth/…`). */
export class PlainError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message || failure.code);
    this.name = "PlainError";
    this.failure = failure;
  }
}
