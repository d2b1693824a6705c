/**
 * The data plane: raw node:http in, egress out. It promises that a request is refused before any provider hears of it
 * or else ends with exactly one FINISH; that the client sees a proper end only when the charge is durable; that what it
 * forwards is what the provider sent, byte for byte; and that nothing of the console is on its way. It is apart because
 * every microsecond and every byte here is paid by each request.
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
  /** Takes a request that `owns` said yes to. Never throws. */
  handle(req: IncomingMessage, res: ServerResponse): void;
  /** `/v1`, `/v1beta`, `HEAD /`, and what has no Host or no plain path as its target (to refuse it). */
  owns(req: IncomingMessage): boolean;
  /**
   * New requests get 503; those in flight have `graceMs` (default 60,000) to finish and to be taken, then end with an error. Every answer
   * that begins now closes its connection, so that its client comes back elsewhere. Resolves when none is left.
   */
  drain(options?: { graceMs?: number }): Promise<void>;
  /** Ends what is left at once. */
  close(): Promise<void>;
  stats(): GatewayStats;
}

/**
 * For the http.Server in front: a head within 10 s, a whole request within 60 s; idle connections outlive the 60 s of
 * common load balancers, so that they are never closed under a request.
 */
export const serverOptions: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
  // Node would refuse by a bare 400: the guard says why, in the caller's dialect.
  requireHostHeader: false,
  noDelay: true,
};

/** Opens the data plane over the rooms it passes through. */
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
  /** Of requests that are over: answers that their clients have not taken yet, which whoever closes the server would cut. */
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
      // Without a call there is nobody to answer in whose name; thrown out of the event it would end the process.
      ctx.log.error({ err: error }, "a request could not be opened");
      res.destroy();
      return;
    }
    call.trace = runtime.tracer?.begin(call) ?? null;
    runtime.calls.set(call.id, call);
    stats.requests += 1;
    res.on("error", ignore);
    // Not `once`, for it comes once.
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
    // From START on it is billed, if need be by recovery: only the row takes the place of the reservation.
    if (call.credited && !call.began) runtime.credit.release(call.id);
    endProviderHold(runtime, call, nothingUsed);
    releaseBody(runtime, call);
    call.trace?.ended(call);
    runtime.calls.delete(call.id);
    const { res } = call;
    if (res.writableLength > 0 && res.socket && !res.destroyed) waitForClient(res);
    tellIdle();
  }

  /** A client that takes nothing keeps the rest of its answer here no longer than it may hold up a stream. */
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

/** A client that is gone says so by `close`; without a listener its error would end the process. */
function ignore(): void {}

/** A budget that fills up once a second. */
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
