import { SluiceError } from "@sluice/core/errors";
import { requireAccess } from "@sluice/services/access";
import { callTRPCProcedure, getTRPCErrorFromUnknown, getTRPCErrorShape, type TRPCError } from "@trpc/server";
import { type FastifyTRPCPluginOptions, fastifyRequestHandler } from "@trpc/server/adapters/fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import SuperJSON from "superjson";
import type { EventStreams } from "./event-streams.ts";
import { checkOrigin } from "./request-guard.ts";
import { type AppRouter, appRouter, procedures } from "./router.ts";

/** Calls per HTTP request. */
const MOST_IN_BATCH = 20;

/** 8 MB of JSON inside a JSON string, which escapes quotes and line breaks. */
const PRICE_TABLE_BYTES = 16 * 1024 * 1024;

const subscriptions = new Set(procedures.filter(({ type }) => type === "subscription").map(({ path }) => path));

/** Whether a route's parameters name a subscription. */
export function isSubscription(params: unknown): boolean {
  return typeof params === "object" && params !== null && "path" in params && subscriptions.has(String(params.path));
}

type Call = FastifyRequest<{ Params: { path: string }; Querystring: Record<string, string | undefined> }>;

/** tRPC under /trpc. Access is declared per procedure, and the route refers to that. */
export function addTrpcRoutes(app: FastifyInstance, { streams, publicOrigin }: { streams: EventStreams; publicOrigin: string }): void {
  const options: FastifyTRPCPluginOptions<AppRouter>["trpcOptions"] = {
    router: appRouter,
    maxBatchSize: MOST_IN_BATCH,
    createContext: ({ req }) => req.ctx,
  };
  app.route({
    method: ["GET", "POST"],
    url: "/trpc/:path",
    config: { access: "procedure" },
    handler: async (request: Call, reply) => {
      // Every call changes something or reads private data, so other sites must make none.
      checkOrigin(request.headers, publicOrigin, { changesState: request.method !== "GET" });
      if (isSubscription(request.params) && request.method === "GET" && request.query.batch === undefined)
        return subscribe(request, reply, streams);
      await fastifyRequestHandler({ ...options, req: request, res: reply, path: request.params.path });
    },
  });
  // A price table exceeds the usual body limit, so callers without access are refused before the body is read.
  app.route({
    method: "POST",
    url: "/trpc/prices.import",
    bodyLimit: PRICE_TABLE_BYTES,
    config: { access: "procedure" },
    onRequest: async (request) => requireAccess(request.ctx.actor, "admin"),
    handler: async (request, reply) => {
      checkOrigin(request.headers, publicOrigin, { changesState: true });
      await fastifyRequestHandler({ ...options, req: request, res: reply, path: "prices.import" });
    },
  });
}

/** Answers a subscription as tRPC would, but writes it through `streams`. */
async function subscribe(request: Call, reply: FastifyReply, streams: EventStreams): Promise<void> {
  const { path } = request.params;
  const { ctx } = request;
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const call = { router: appRouter, path, ctx, type: "subscription", signal: gone.signal, batchIndex: 0 } as const;
  const values = (): Promise<AsyncIterable<unknown>> => callTRPCProcedure({ ...call, getRawInput: async () => inputOf(request) });
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    // Otherwise nginx would buffer the events.
    "x-accel-buffering": "no",
    vary: "trpc-accept, accept",
  });
  await streams.send(reply.raw, values, (thrown) => {
    const error: TRPCError = getTRPCErrorFromUnknown(thrown);
    return getTRPCErrorShape({ config: appRouter._def._config, error, ctx, input: undefined, path, type: "subscription" });
  });
}

/**
 * The input as tRPC reads it: an EventSource's last position, from the header or the URL, overrides the one in the input.
 * @throws SluiceError `invalid_request` when it cannot be parsed.
 */
function inputOf({ headers, query }: Call): unknown {
  const input = query.input ? readInput(query.input) : undefined;
  const lastEventId = headers["last-event-id"] ?? query.lastEventId ?? query["Last-Event-Id"];
  if (!lastEventId || (input !== undefined && (typeof input !== "object" || input === null))) return input;
  return { ...(input as object | undefined), lastEventId };
}

function readInput(text: string): unknown {
  try {
    return SuperJSON.deserialize(JSON.parse(text));
  } catch (thrown) {
    throw new SluiceError("invalid_request", { detail: String(thrown) });
  }
}
