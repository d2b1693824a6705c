import type { IncomingMessage, ServerResponse } from "node:http";
import fastifyCookie from "@fastify/cookie";
import fastifyHelmet from "@fastify/helmet";
import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import type { Ctx, Services } from "@sluice/services/context";
import { contextOf } from "@sluice/services/create-services";
import { watchRights } from "@sluice/services/live/watch-rights";
import { findActor } from "@sluice/services/logins/find-actor";
import { noticeOutage } from "@sluice/services/outage";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { clientIp } from "./client-ip.ts";
import { serveConsole } from "./console-files.ts";
import { collectRoutes, type DeclaredRoute } from "./declared-routes.ts";
import { createDownloads } from "./downloads.ts";
import { errorBody, fromFastify } from "./error-body.ts";
import { EventStreams } from "./event-streams.ts";
import { addExportRoutes } from "./export-routes.ts";
import { loginCookie } from "./login-cookie.ts";
import { addLoginRoutes } from "./login-routes.ts";
import { packAnswers } from "./packed-answers.ts";
import { checkBodyHeaders, checkHead, checkOrigin, decodeBody, hasBody } from "./request-guard.ts";
import { addRestRoutes, bearerKey } from "./rest/rest-routes.ts";
import { countedCalls } from "./trpc.ts";
import { addTrpcRoutes, isSubscription } from "./trpc-routes.ts";

declare module "fastify" {
  interface FastifyRequest {
    ctx: Ctx;
  }
}

export interface ApiOptions {
  services: Services;
  /** The built console, `apps/console/dist`. */
  consoleDir: string;
  /** Number of trusted proxies in front that append to X-Forwarded-For. */
  trustedHops: number;
}

/** The API as a request handler, so that one http.Server can serve it beside the gateway. */
export interface Api {
  routing(request: IncomingMessage, response: ServerResponse): void;
  ready(): Promise<void>;
  /** Ends all event streams (their clients reconnect elsewhere), then the rest. Never waits for a viewer. */
  close(): Promise<void>;
  /** The route template of a request, such as `/export/:id`; null for procedure calls, which are measured individually. */
  endpointOf(request: IncomingMessage): string | null;
  /** Every route with the access it declares. */
  routes: readonly DeclaredRoute[];
}

const BODY_LIMIT = 1024 * 1024;
const MOST_PATH = 2_000;

/** Creates the API. Call `ready` before the first request. */
export function createApi({ services, consoleDir, trustedHops }: ApiOptions): Api {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    genReqId: () => newId(),
    logger: false,
    // A path with a trailing slash or in another case is a different path, for rules as well as for routes. The path of a batch names all
    // of its calls.
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false, maxParamLength: MOST_PATH },
    frameworkErrors: (thrown, request, reply) => sendError(reply, fromFastify(thrown), request.id),
  });
  const routes = collectRoutes(app);
  const streams = new EventStreams();
  const routed = new WeakMap<IncomingMessage, FastifyRequest>();
  const publicOrigin = new URL(services.publicUrl).origin;
  const cookie = loginCookie(services.publicUrl);
  let unwatch: (() => void) | undefined;

  onlyJson(app);
  answerErrors(app, services, routes);
  app.decorateRequest("ctx");
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    routed.set(request.raw, request);
    checkHead(request.raw);
    const changesState = request.method !== "GET" && request.method !== "HEAD";
    if (changesState) {
      // A request authenticated by a header needs no origin check, since a page of another site cannot set it.
      if (bearerKey(request) === null) checkOrigin(request.headers, publicOrigin, { changesState: true });
      if (request.method !== "DELETE" || hasBody(request.headers)) checkBodyHeaders(request.headers);
    }
  });
  // Registered in its own scope, so that the hook runs after the cookie plugin's.
  app.register(async (app) => {
    await app.register(fastifyCookie);
    app.addHook("onRequest", async (request) => {
      const ip = clientIp(request.raw, trustedHops);
      // This one check authorises a stream for its whole life, so it must not come from the cache.
      const fresh = isSubscription(request.params);
      const actor = await findActor(services, cookie.read(request), { fresh, ip }).catch((thrown: unknown) => {
        noticeOutage(services, thrown);
        throw new SluiceError("unavailable", { detail: String(thrown), cause: thrown });
      });
      request.ctx = contextOf(services, actor, { requestId: request.id, ip });
    });
    app.addHook("onSend", async (_request, reply) => {
      if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
    });
    packAnswers(app);
    addLoginRoutes(app, cookie);
    const downloads = createDownloads();
    addExportRoutes(app, { downloads, publicOrigin });
    addRestRoutes(app, { services, downloads, publicOrigin });
    addTrpcRoutes(app, { streams, publicOrigin });
  });
  app.register(async (app) => serveConsole(app, consoleDir));
  app.addHook("preClose", async () => {
    streams.stop();
    for (const end of [...services.streams]) end();
    unwatch?.();
  });

  return {
    routes,
    endpointOf(raw) {
      const request = routed.get(raw);
      return request && countedCalls.has(request.ctx) ? null : (request?.routeOptions.url ?? "other");
    },
    routing: (request, response) => app.routing(request, response),
    async ready() {
      await app.ready();
      unwatch = watchRights(services);
    },
    close: () => app.close(),
  };
}

/** Accepts only UTF-8 JSON and keeps it as text; tRPC and the plain routes parse it themselves. */
function onlyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      done(null, decodeBody(body as Buffer));
    } catch (thrown) {
      done(thrown as SluiceError);
    }
  });
}

function sendError(reply: FastifyReply, error: SluiceError, requestId: string): FastifyReply {
  if (error.retryAfterS !== undefined) reply.header("retry-after", String(error.retryAfterS));
  return reply
    .code(error.status)
    .type("application/json; charset=utf-8")
    .header("cache-control", "no-store")
    .send(errorBody(error, requestId));
}

function answerErrors(app: FastifyInstance, services: Services, routes: readonly DeclaredRoute[]): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFastify(thrown);
    if (error.status >= 500)
      services.log.error({ requestId: request.id, code: error.code, detail: error.detail }, "a request to the API failed");
    return sendError(reply, error, request.id);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0];
    return sendError(reply, new SluiceError(routes.some(({ url }) => url === path) ? "method_not_allowed" : "not_found"), request.id);
  });
  app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: "no-referrer" },
    strictTransportSecurity: services.publicUrl.startsWith("https://") ? { maxAge: 180 * 24 * 3600, includeSubDomains: false } : false,
    crossOriginEmbedderPolicy: false,
  });
}
