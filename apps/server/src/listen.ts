import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Api } from "@sluice/api/create-api";
import { templateOf } from "@sluice/core/dialects/routes";
import { type Gateway, serverOptions } from "@sluice/gateway/gateway";
import { refuseUnparsed } from "@sluice/gateway/unparsed";
import type { Env } from "./env.ts";
import type { Meters } from "./meters.ts";
import type { Operations } from "./operations.ts";
import { localUrl } from "./server-url.ts";

interface Handlers {
  operations: Operations;
  meters: Meters;
  gateway: Gateway | null;
  api: Api | null;
}

const nothingHere = JSON.stringify({
  error: { code: "not_found", message: "It does not exist, or you do not have access to it.", retryable: false },
});

/** Opens the ports. With CONSOLE_PORT the clients' port serves only the gateway and health. */
export async function listen(env: Env, handlers: Handlers): Promise<{ url: string; close: () => Promise<void> }> {
  const split = env.consolePort !== null;
  const clients = openServer(handlers, { gateway: true, console: !split, isPrivate: false });
  const servers = [clients];
  try {
    await bind(clients, env.host, { name: "PORT", port: env.port });
    if (env.consolePort !== null) {
      const people = openServer(handlers, { gateway: false, console: true, isPrivate: true });
      servers.push(people);
      await bind(people, env.host, { name: "CONSOLE_PORT", port: env.consolePort });
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  const last = servers.at(-1)?.address() as AddressInfo;
  return {
    url: env.publicUrl ?? localUrl(env.host, last.port),
    close: async () => {
      await Promise.all(servers.map(closeServer));
    },
  };
}

function openServer(
  { operations, meters, gateway, api }: Handlers,
  serves: { gateway: boolean; console: boolean; isPrivate: boolean },
): Server {
  const server = createServer(serverOptions, (req: IncomingMessage, res: ServerResponse) => {
    const beganMs = performance.now();
    let endpointOf: () => string | null = () => "other";
    res.on("close", () => {
      const endpoint = endpointOf();
      const status = res.headersSent ? res.statusCode : CLIENT_LEFT;
      if (endpoint !== null) meters.answered({ method: req.method ?? "", endpoint, status, ms: performance.now() - beganMs });
    });
    if (serves.gateway && gateway?.owns(req)) {
      endpointOf = () => templateOf(pathOf(req));
      gateway.handle(req, res);
    } else if (operations(req, res, serves.isPrivate)) endpointOf = () => pathOf(req);
    else if (serves.console && api) {
      endpointOf = () => api.endpointOf(req);
      api.routing(req, res);
    } else {
      res.writeHead(404, { "content-type": "application/json; charset=utf-8" });
      res.end(nothingHere);
    }
  });
  refuseUnparsed(server);
  return server;
}

/** The client disconnected before it got an answer; the status that nginx uses for this. */
const CLIENT_LEFT = 499;

function pathOf({ url = "" }: IncomingMessage): string {
  const mark = url.indexOf("?");
  return mark < 0 ? url : url.slice(0, mark);
}

function bind(server: Server, host: string, { name, port }: { name: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(new Error(`Port ${port} on ${host} is in use. Stop what uses it (another Sluice?) or set ${name}.`));
    });
    server.listen(port, host, resolve);
  });
}

/** Idle connections are closed at once, others after their answer. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // By now all requests are over; a client that keeps its connection open must not keep the process alive.
    setTimeout(() => server.closeAllConnections(), 2_000).unref();
  });
}
