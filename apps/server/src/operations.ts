import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { hashToken } from "@sluice/db/secrets";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";

export interface OperationsOptions {
  health: () => Promise<Health>;
  /** Whether load balancers should send requests here. */
  ready: () => boolean;
  metrics: Metrics;
  version: string;
  metricsToken: string | null;
}

/** The routes that every process has, whatever its roles. Returns true if the request was for one of them. */
export type Operations = (req: IncomingMessage, res: ServerResponse, isPrivatePort: boolean) => boolean;

function send(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, { "content-type": type, "cache-control": "no-store", "content-length": Buffer.byteLength(body) });
  res.end(res.req.method === "HEAD" ? undefined : body);
}

const sendJson = (res: ServerResponse, status: number, body: object): void =>
  send(res, status, "application/json; charset=utf-8", JSON.stringify(body));

/** `/health`, `/health/live`, `/health/ready`, `/version`, `/metrics`. */
export function createOperations(options: OperationsOptions): Operations {
  return (req, res, isPrivatePort) => {
    const path = (req.url ?? "").split("?", 1)[0];
    switch (path) {
      case "/health":
        options.health().then(
          // Load balancers act on /health/ready; this one answers 200 as long as the report can be made.
          (health) => sendJson(res, 200, health),
          () => sendJson(res, 500, { status: "degraded" }),
        );
        return true;
      case "/health/live":
        sendJson(res, 200, { status: "ok" });
        return true;
      case "/health/ready":
        sendJson(res, options.ready() ? 200 : 503, { status: options.ready() ? "ok" : "not_ready" });
        return true;
      case "/version":
        sendJson(res, 200, { version: options.version });
        return true;
      case "/metrics":
        sendMetrics(options, req, res, isPrivatePort);
        return true;
      default:
        return false;
    }
  };
}

function sendMetrics(options: OperationsOptions, req: IncomingMessage, res: ServerResponse, isPrivatePort: boolean): void {
  if (!mayReadMetrics(options.metricsToken, req.headers.authorization, isPrivatePort)) {
    sendJson(res, 401, { error: { code: "unauthenticated", message: "Send the metrics token as a bearer token.", retryable: false } });
    return;
  }
  options.metrics.text().then(
    (text) => send(res, 200, options.metrics.contentType, text),
    () => sendJson(res, 500, { error: { code: "internal", message: "Metrics could not be read.", retryable: true } }),
  );
}

/** With a token configured it is required; without one, metrics are served only on a port that clients do not use. */
function mayReadMetrics(token: string | null, authorization: string | undefined, isPrivatePort: boolean): boolean {
  if (token === null) return isPrivatePort;
  const given = Buffer.from(hashToken(authorization?.replace(/^Bearer /i, "") ?? ""));
  return timingSafeEqual(given, Buffer.from(hashToken(token)));
}
