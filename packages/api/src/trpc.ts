import { SluiceError } from "@sluice/core/errors";
import { withTables } from "@sluice/core/packed-tables";
import { type Access, requireAccess } from "@sluice/services/access";
import { auditDenied } from "@sluice/services/audits/audit-denied";
import type { Ctx } from "@sluice/services/context";
import { noticeOutage, publicErrorOf } from "@sluice/services/outage";
import { initTRPC, TRPCError } from "@trpc/server";
import SuperJSON from "superjson";
import type { z } from "zod";

/** Declared by every procedure; building the router fails without it. */
export interface ProcedureMeta {
  access: Access;
}

const trpcCodes: Record<number, TRPCError["code"]> = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_SUPPORTED",
  409: "CONFLICT",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  429: "TOO_MANY_REQUESTS",
  500: "INTERNAL_SERVER_ERROR",
  502: "BAD_GATEWAY",
  503: "SERVICE_UNAVAILABLE",
  504: "GATEWAY_TIMEOUT",
};

/** Maps tRPC's own refusals (no such procedure, wrong method, unreadable input) to the catalogue. */
function sluiceErrorOf(error: TRPCError): SluiceError {
  if (error.cause instanceof SluiceError) return error.cause;
  switch (error.code) {
    case "NOT_FOUND":
      return new SluiceError("not_found");
    case "METHOD_NOT_SUPPORTED":
      return new SluiceError("method_not_allowed");
    case "UNSUPPORTED_MEDIA_TYPE":
      return new SluiceError("unsupported_media_type");
    case "PAYLOAD_TOO_LARGE":
      return new SluiceError("body_too_large");
    case "BAD_REQUEST":
    case "PARSE_ERROR":
      return new SluiceError("invalid_request", { detail: error.message });
    default:
      return publicErrorOf(error.cause ?? error);
  }
}

const t = initTRPC
  .context<Ctx>()
  .meta<ProcedureMeta>()
  .create({
    transformer: withTables(SuperJSON),
    isDev: false,
    errorFormatter({ shape, error, ctx }) {
      const { code, message, retryable, field, retryAfterS, status } = sluiceErrorOf(error);
      return {
        ...shape,
        message,
        data: {
          code,
          httpStatus: status,
          requestId: ctx?.requestId ?? "",
          retryable,
          field: field ?? null,
          retryAfterS: retryAfterS ?? null,
        },
      };
    },
  });

/** Contexts of requests whose calls were measured individually. */
export const countedCalls = new WeakSet<Ctx>();

/** Reports the duration and outcome of each call. */
const measured = t.middleware(async ({ ctx, path, type, next }) => {
  countedCalls.add(ctx);
  const beganMs = performance.now();
  const result = await next();
  const status = result.ok ? 200 : sluiceErrorOf(result.error).status;
  ctx.measures.called({ method: type === "mutation" ? "POST" : "GET", procedure: path, status, ms: performance.now() - beganMs });
  return result;
});

/** Checks the declared access, and turns anything a verb throws into a public error; the only place that does either. */
const guard = t.middleware(async ({ ctx, meta, next, path }) => {
  try {
    if (!meta) throw new SluiceError("internal", { detail: `${path} declares no access` });
    requireAccess(ctx.actor, meta.access);
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === "forbidden") auditDenied(ctx, path);
    throw trpcErrorOf(thrown);
  }
  const result = await next();
  if (result.ok) return result;
  const error = sluiceErrorOf(result.error);
  if (error.code === "forbidden") auditDenied(ctx, path);
  if (error.code === "unavailable") noticeOutage(ctx, error);
  if (error.code === "internal")
    ctx.log.error({ requestId: ctx.requestId, path, detail: error.detail, stack: stackOf(error) }, "a procedure failed");
  return { ...result, error: trpcErrorOf(error) };
});

function stackOf(error: SluiceError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? "") : (error.stack ?? "");
}

/** A thrown value in the form that tRPC carries. */
export function trpcErrorOf(thrown: unknown): TRPCError {
  const error = publicErrorOf(thrown);
  return new TRPCError({ code: trpcCodes[error.status] ?? "INTERNAL_SERVER_ERROR", message: error.message, cause: error });
}

export const router = t.router;

/** The only way to make a procedure: `procedure.meta({ access }).input(input(Schema)).query(verb call)`. */
export const procedure = t.procedure.use(measured).use(guard);

/** Gives a procedure its input type and schema without parsing; the verb parses, after its role check. */
export function input<S extends z.ZodType>(schema: S): ((value: unknown) => z.input<S>) & { schema: S } {
  return Object.assign((value: unknown) => value as z.input<S>, { schema });
}
