import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Api } from "@sluice/api/create-api";
import { answerClientError, type Gateway, serverOptions } from "@sluice/gateway/gateway";
import type { Env } from "./env.ts";
import type { Metrics } from "./metrics.ts";
import type { Operations } from "./operations.ts";

interface Handlers {
  operations: Operations;
  metrics: Metrics;
  gateway: Gateway | null;
  api: Api | null;
}

const nothingHere = JSON.stringify({ error: { code: "not_found", message: "There is nothing here.", retryable: false } });

/** Opens the ports. With CONSOLE_PORT the clients' port serves the gateway (and health) only. */
export async function listen(env: Env, handlers: Handlers): Promise<{ url: string; close: () => Promise<void> }> {
  const split = env.consolePort !== null;
  const servers = [openServer(handlers, { gateway: true, console: !split, isPrivate: false })];
  if (split) servers.push(openServer(handlers, { gateway: false, console: true, isPrivate: true }));
  const ports = [env.port, env.consolePort ?? 0];
  for (const [index, server] of servers.entries()) await bind(server, env.host, ports[index] ?? 0);
  const last = servers.at(-1)?.address() as AddressInfo;
  const host = env.host.includes(":") ? `[${env.host}]` : env.host;
  return {
    url: env.publicUrl ?? `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${last.port}`,
    close: async () => {
      await Promise.all(servers.map(closeServer));
    },
  };
}

function openServer(
  { operations, metrics, gateway, api }: Handlers,
  serves: { gateway: boolean; console: boolean; isPrivate: boolean },
): Server {
  const server = createServer(serverOptions, (req: IncomingMessage, res: ServerResponse) => {
    res.once("finish", () => metrics.countAnswer(res.statusCode));
    if (serves.gateway && gateway?.owns(req)) gateway.handle(req, res);
    else if (operations(req, res, serves.isPrivate)) return;
    else if (serves.console && api) api.routing(req, res);
    else {
      res.writeHead(404, { "content-type": "application/json; charset=utf-8" });
      res.end(nothingHere);
    }
  });
  server.on("clientError", answerClientError);
  return server;
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      reject(new Error(`Port ${port} on ${host} is in use. Stop what uses it (another Sluice?) or set PORT.`));
    });
    server.listen(port, host, resolve);
  });
}

/** Idle connections end at once, others with their answer. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Requests are over by now; a client that holds its socket open must not hold the process.
    setTimeout(() => server.closeAllConnections(), 2_000).unref();
  });
}
