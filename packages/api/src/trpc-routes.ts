import { type FastifyTRPCPluginOptions, fastifyRequestHandler } from "@trpc/server/adapters/fastify";
import type { FastifyInstance } from "fastify";
import { checkOrigin } from "./request-guard.ts";
import { type AppRouter, appRouter, procedures } from "./router.ts";
import type { StalledStreams } from "./stalled-streams.ts";

/** Calls in one HTTP request. */
const MOST_IN_BATCH = 20;

const subscriptions = new Set(procedures.filter(({ type }) => type === "subscription").map(({ path }) => path));

/** Whether a route's parameters name a subscription. */
export function isSubscription(params: unknown): boolean {
  return typeof params === "object" && params !== null && "path" in params && subscriptions.has(String(params.path));
}

/** tRPC under /trpc. Access is declared per procedure, so the route itself only says that. */
export function addTrpcRoutes(app: FastifyInstance, { stalled, publicOrigin }: { stalled: StalledStreams; publicOrigin: string }): void {
  const options: FastifyTRPCPluginOptions<AppRouter>["trpcOptions"] = {
    router: appRouter,
    maxBatchSize: MOST_IN_BATCH,
    createContext: ({ req }) => req.ctx,
  };
  app.route<{ Params: { path: string } }>({
    method: ["GET", "POST"],
    url: "/trpc/:path",
    config: { access: "procedure" },
    handler: async (request, reply) => {
      const { path } = request.params;
      // Calls change something or read what is private: neither is for other sites.
      checkOrigin(request.headers, publicOrigin, request.method !== "GET");
      if (isSubscription(request.params)) {
        stalled.watch(reply.raw);
        // nginx would hold events back otherwise.
        reply.header("x-accel-buffering", "no");
      }
      await fastifyRequestHandler({ ...options, req: request, res: reply, path });
    },
  });
}
