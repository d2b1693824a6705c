/**
 * The data plane: raw node:http in, egress out. A request is either refused before any provider sees it or ends with exactly
 * one FINISH; the client sees a proper end only when the charge is durable; answers are forwarded byte for byte; and nothing
 * of the console is on this path. It is a package of its own because every request pays for each microsecond and byte here.
 */
import type { IncomingMessage, ServerOptions, ServerResponse } from "node:http";
import { ChurningMap } from "@sluice/core/churning-map";
import { type Clock, systemClock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { type Call, openCall } from "./call.ts";
import { defaultLimits, type GatewayContext, type GatewayStats, type Runtime } from "./context.ts";
import { createControl, cut } from "./control.ts";
import { Deadlines } from "./deadlines.ts";
import { HedgeBudget } from "./hedge-budget.ts";
import { endProviderHold, nothingUsed } from "./pipeline/provider-room.ts";
import { releaseBody } from "./pipeline/receive.ts";
import { runPipeline } from "./pipeline.ts";
import { createRequestLog } from "./request-log.ts";
import { routeOf } from "./routing.ts";

export interface Gateway {
  /** Handles a request for which `owns` returned true. Never throws. */
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** `/v1`, `/v1beta`, `HEAD /`, and requests without a Host or with a target that is not a path (in order to refuse them). */
  owns(req: IncomingMessage): boolean;
  /**
   * New requests get 503. Requests in flight have `graceMs` (default 60,000) to finish and to be read by their clients, then they
   * end with an error. Every answer that begins meanwhile closes its connection, so that its client reconnects elsewhere. Resolves
   * when none is left.
   */
  drain(options?: { graceMs?: number }): Promise<void>;
  /** Ends all remaining requests at once. */
  close(): Promise<void>;
  stats(): GatewayStats;
}

/**
 * For the http.Server in front: the head must arrive within 10 s, the whole request within 10 minutes, in which a line of 450 kbit/s
 * sends the largest body; `receive` refuses bodies that stall or trickle sooner. Idle connections outlive the 60 s of common load
 * balancers, so that we never close one while a request is on its way.
 */
export const serverOptions: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 600_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
  // Node would answer a bare 400; the guard gives the reason in the caller's dialect.
  requireHostHeader: false,
  noDelay: true,
};

export function createGateway(ctx: GatewayContext): Gateway {
  const clock = ctx.clock ?? systemClock;
  const limits = { ...defaultLimits, ...ctx.limits };
  const stats: GatewayStats = { inFlight: 0, bodyBytes: 0, requests: 0, refusedAnonymous: 0, unrecorded: 0, draining: false };
  const runtime: Runtime = {
    ...ctx,
    clock,
    limits,
    deadlines: new Deadlines(clock),
    calls: new ChurningMap(),
    hedges: new HedgeBudget(),
    stats,
    logRequest: createRequestLog(ctx.log, ctx.snapshot),
    mayLogAnonymous: perSecond(clock, limits.anonymousRowsPerSecond),
  };
  const control = createControl(runtime);
  let whenIdle: (() => void)[] = [];
  /** Responses of finished requests that their clients have not fully read yet; closing the server would cut them off. */
  const untaken = new Set<ServerResponse>();
  let isGraceOver = false;

  function handle(req: IncomingMessage, res: ServerResponse): void {
    if (stats.draining) res.shouldKeepAlive = false;
    if (req.method === "HEAD" && req.url === "/") {
      const id = newId(clock.now());
      res.writeHead(200, { "cache-control": "no-store", "x-request-id": id, "request-id": id }).end();
      return;
    }
    let call: Call;
    try {
      call = openCall(runtime, req, res, routeOf(req));
    } catch (error) {
      // Without a call there is no dialect to answer in; thrown out of the event handler, the error would end the process.
      ctx.log.error({ err: error }, "a request could not be opened");
      res.destroy();
      return;
    }
    call.trace = runtime.tracer?.begin(call) ?? null;
    runtime.calls.set(call.id, call);
    stats.requests += 1;
    res.on("error", ignore);
    // `on` rather than `once`: the event fires only once and `on` is cheaper.
    res.on("close", () => {
      if (res.writableEnded || call.over) return;
      call.gone = true;
      call.abort.abort(new Error("the client left"));
    });
    runPipeline(runtime, call).then(
      () => leave(call),
      (error: unknown) => {
        ctx.log.error({ requestId: call.id, err: error }, "the end of a request failed");
        res.destroy();
        leave(call);
      },
    );
  }

  function leave(call: Call): void {
    if (call.leased) runtime.admission.release(call.id);
    // From START on the request is billed, by recovery if necessary: only its row may replace the reservation.
    if (call.credited && !call.began) runtime.credit.release(call.id);
    endProviderHold(runtime, call, nothingUsed);
    releaseBody(runtime, call);
    call.trace?.ended(call);
    runtime.calls.delete(call.id);
    const { res } = call;
    if (res.writableLength > 0 && res.socket && !res.destroyed) waitForClient(res);
    tellIdle();
  }

  /** A client that stops reading occupies the rest of its answer no longer than it could stall a stream. */
  function waitForClient(res: ServerResponse): void {
    res.setTimeout(limits.stalledClientMs, () => res.destroy());
    if (isGraceOver) return;
    untaken.add(res);
    res.on("close", () => {
      untaken.delete(res);
      tellIdle();
    });
  }

  const isIdle = (): boolean => runtime.calls.size === 0 && untaken.size === 0;

  function tellIdle(): void {
    if (!isIdle()) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  function cutAll(): void {
    isGraceOver = true;
    for (const call of runtime.calls.values()) cut(call, new SluiceError("draining", { retryAfterS: 1 }));
    for (const res of untaken) res.destroy();
  }

  async function drain({ graceMs = 60_000 }: { graceMs?: number } = {}): Promise<void> {
    stats.draining = true;
    for (const { res } of runtime.calls.values()) res.shouldKeepAlive = false;
    if (isIdle()) return;
    const idle = new Promise<void>((resolve) => whenIdle.push(resolve));
    const deadline = runtime.deadlines.add(graceMs, cutAll);
    await idle;
    runtime.deadlines.cancel(deadline);
  }

  return {
    handle,
    owns(req) {
      const target = req.url ?? "";
      if (!target.startsWith("/") || req.headers.host === undefined) return true;
      return /^\/v1(?:beta)?(?:[/?]|$)/.test(target) || (target === "/" && req.method === "HEAD");
    },
    drain,
    async close() {
      control.close();
      await drain({ graceMs: 0 });
      runtime.deadlines.close();
    },
    stats: () => ({ ...stats, inFlight: runtime.calls.size }),
  };
}

/** A client's departure is handled by `close`; without an error listener the process would end. */
function ignore(): void {}

/** A budget that is refilled every second. */
function perSecond(clock: Clock, allowed: number): () => boolean {
  let second = -1;
  let used = 0;
  return () => {
    const now = Math.floor(clock.monotonic() / 1_000);
    if (now !== second) {
      second = now;
      used = 0;
    }
    used += 1;
    return used <= allowed;
  };
}
