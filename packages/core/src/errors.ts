import type { LimitKind } from "./limits/limit-values.ts";

/**
 * The one catalogue of errors. A public message never contains internals; `detail` is for logs and administrators. Each
 * dialect renders the errors for its clients (core/dialects); the console translates the code.
 */
export interface ErrorKind {
  status: number;
  message: string;
  /** Whether the same request may succeed later or elsewhere. */
  retryable: boolean;
}

export const errorCatalogue = {
  invalid_request: { status: 400, message: "The request is not valid.", retryable: false },
  invalid_json: { status: 400, message: "The body is not valid JSON in UTF-8.", retryable: false },
  duplicate_field: { status: 400, message: "A top-level field of the body appears twice.", retryable: false },
  too_deep: { status: 400, message: "The body is nested deeper than 64 levels.", retryable: false },
  not_convertible: { status: 400, message: "The request cannot be converted to the API of another provider.", retryable: false },
  missing_model: { status: 400, message: "The field 'model' is missing or not a string.", retryable: false },
  invalid_host: { status: 400, message: "The Host header is missing, repeated or malformed.", retryable: false },
  invalid_target: { status: 400, message: "The request target must be a plain path.", retryable: false },
  conflicting_credentials: { status: 400, message: "Two different credentials were sent.", retryable: false },
  missing_key: { status: 401, message: "No API key was sent.", retryable: false },
  invalid_key: { status: 401, message: "The API key is not valid.", retryable: false },
  insufficient_credit: { status: 402, message: "There is not enough credit.", retryable: false },
  key_disabled: { status: 403, message: "This API key is disabled.", retryable: false },
  key_expired: { status: 401, message: "This API key has expired.", retryable: false },
  user_disabled: { status: 403, message: "The owner of this API key is disabled.", retryable: false },
  user_expired: { status: 403, message: "The owner of this API key has expired.", retryable: false },
  address_not_allowed: { status: 403, message: "This API key may not be used from this address.", retryable: false },
  client_not_allowed: { status: 403, message: "This API key may not be used by this client.", retryable: false },
  model_not_allowed: { status: 403, message: "This API key may not call this model.", retryable: false },
  unauthenticated: { status: 401, message: "You are not signed in. Sign in first.", retryable: false },
  bad_credentials: { status: 401, message: "E-mail or password is wrong.", retryable: false },
  forbidden: { status: 403, message: "You do not have permission to do this.", retryable: false },
  bad_origin: { status: 403, message: "The request came from another site.", retryable: false },
  not_found: { status: 404, message: "It does not exist, or you do not have access to it.", retryable: false },
  no_longer_kept: { status: 410, message: "This is past its retention period and has been deleted.", retryable: false },
  unknown_model: { status: 404, message: "No provider of this key's group serves this model.", retryable: false },
  unpriced_model: { status: 400, message: "This model has no price yet. An administrator has to add one.", retryable: false },
  method_not_allowed: { status: 405, message: "This method is not allowed here.", retryable: false },
  conflict: { status: 409, message: "This already exists, or it was changed in the meantime.", retryable: false },
  body_too_large: { status: 413, message: "The body is larger than 32 MB.", retryable: false },
  unsupported_media_type: { status: 415, message: "Send application/json in UTF-8.", retryable: false },
  unsupported_encoding: { status: 415, message: "Send the body without content-encoding.", retryable: false },
  too_many_headers: { status: 431, message: "More than 100 headers were sent.", retryable: false },
  rate_limited: { status: 429, message: "The requests-per-minute limit is reached.", retryable: true },
  tokens_limited: { status: 429, message: "The tokens-per-minute limit is reached.", retryable: true },
  cost_limited: { status: 429, message: "The cost limit is reached.", retryable: true },
  in_flight_limited: { status: 429, message: "The limit on requests in flight is reached.", retryable: true },
  too_many_exports: { status: 429, message: "Too many exports are running. Try again when one has finished.", retryable: true },
  login_throttled: { status: 429, message: "Too many attempts. Try again later.", retryable: true },
  /** 499 is Google's CANCELLED; unlike a 409 or 5xx, clients do not retry it automatically. */
  cancelled: { status: 499, message: "The request was cancelled.", retryable: false },
  internal: { status: 500, message: "Something went wrong on the server.", retryable: true },
  upstream_error: { status: 502, message: "The provider returned an error.", retryable: true },
  upstream_auth: { status: 502, message: "The provider rejected its credentials.", retryable: true },
  upstream_encoding: { status: 502, message: "The provider used an unsupported content encoding.", retryable: true },
  upstream_blocked: { status: 502, message: "The provider's address cannot be reached.", retryable: true },
  upstream_rate_limited: { status: 429, message: "The provider's rate limit is reached.", retryable: true },
  upstream_overloaded: { status: 503, message: "The provider is overloaded.", retryable: true },
  upstream_truncated: { status: 502, message: "The provider's response ended early.", retryable: true },
  no_provider: { status: 503, message: "No provider is available for this model right now.", retryable: true },
  overloaded: { status: 503, message: "The gateway is overloaded.", retryable: true },
  unavailable: { status: 503, message: "The service is temporarily unavailable.", retryable: true },
  spool_unavailable: { status: 503, message: "Usage cannot be recorded right now.", retryable: true },
  draining: { status: 503, message: "The gateway is shutting down.", retryable: true },
  upstream_timeout: { status: 504, message: "The provider did not respond in time.", retryable: true },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

/** The figures behind a refusal, for explaining it later in another language. Costs are nano-USD. */
export type ErrorFacts =
  | {
      kind: "limit";
      limit: LimitKind;
      /** Whose limit it is. */
      owner: "key" | "user" | "group" | "provider";
      ownerId: string;
      value: number;
      /** Used and reserved at that moment. */
      used: number;
      /** The most that the request could have cost; 0 for limits that do not count cost. */
      wantedNanoUsd: number;
      /** When time alone makes room, ms since the epoch; null = it does not. */
      resetAtMs: number | null;
    }
  | { kind: "credit"; availableNanoUsd: number; neededNanoUsd: number };

export interface SluiceErrorOptions {
  /** Replaces the catalogue's public message; must not contain internals. */
  message?: string;
  /** Replaces the catalogue's status, for an answer worded by an administrator. */
  status?: number;
  /** Internal: logged and shown to administrators, never sent to a client. */
  detail?: string;
  /** Seconds; sent as `retry-after`. */
  retryAfterS?: number;
  /** The field or parameter at fault, named as in the request. */
  field?: string;
  facts?: ErrorFacts;
  cause?: unknown;
}

/** The only error that may reach a client; anything else becomes `internal`. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly detail: string;
  readonly retryAfterS: number | undefined;
  readonly field: string | undefined;
  readonly facts: ErrorFacts | undefined;

  constructor(code: ErrorCode, options: SluiceErrorOptions = {}) {
    const kind = errorCatalogue[code];
    super(options.message ?? kind.message, { cause: options.cause });
    this.name = "SluiceError";
    this.code = code;
    this.status = options.status ?? kind.status;
    this.retryable = kind.retryable;
    this.detail = options.detail ?? "";
    this.retryAfterS = options.retryAfterS;
    this.field = options.field;
    this.facts = options.facts;
  }
}

/** Turns anything thrown into an error that may be shown; what it was is kept as detail. */
export function toSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new SluiceError("internal", { detail, cause: thrown });
}
