import { SluiceError } from "@sluice/core/errors";
import { publicErrorOf } from "@sluice/services/outage";

/** The shape of every error outside tRPC. */
export interface ErrorBody {
  error: { code: string; message: string; requestId: string; retryable: boolean; field?: string };
}

export function errorBody(error: SluiceError, requestId: string): ErrorBody {
  const { code, message, retryable, field } = error;
  return { error: { code, message, requestId, retryable, ...(field !== undefined && { field }) } };
}

/** Maps Fastify's own refusals (media type, size, malformed requests) to the catalogue. */
export function fromFastify(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") return new SluiceError("unsupported_media_type");
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return new SluiceError("body_too_large", { message: "The body is larger than 1 MB." });
  const status = typeof thrown === "object" && thrown !== null && "statusCode" in thrown ? Number(thrown.statusCode) : 500;
  if (status >= 400 && status < 500) return new SluiceError(status === 404 ? "not_found" : "invalid_request", { detail: String(thrown) });
  return publicErrorOf(thrown);
}
