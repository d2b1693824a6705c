import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { Clock } from "@sluice/core/clock";
import { clientName } from "@sluice/core/dialects/client-name";
import type { Dialect, Envelope, Reading, Route } from "@sluice/core/dialects/dialect";
import type { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { type Attempt, emptyDetail, noUsage, type RequestDetail, type RequestRow } from "@sluice/core/requests";
import type { Choice } from "@sluice/core/routing/choose-candidates";
import type { Config, KeyConfig, PriceConfig, ProviderConfig } from "@sluice/snapshot/config";
import { Cancellation } from "./cancellation.ts";
import type { Runtime } from "./context.ts";
import type { Deadline } from "./deadlines.ts";
import type { StreamRelay } from "./stream-relay.ts";
import type { Trace } from "./tracing.ts";

export type HeaderMap = Record<string, string | undefined>;

/** A whole answer, sent once it is recorded. */
export interface WholeAnswer {
  kind: "whole";
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** null: nothing was produced (an error answer that is passed through). */
  reading: Reading | null;
  /** Why this answer is an error, for the row; null for a success. */
  error: SluiceError | null;
}

/** A stream that has its first content, or that was held long enough. */
export interface StreamAnswer {
  kind: "stream";
  status: number;
  headers: Record<string, string>;
  relay: StreamRelay;
  /** The wire format ends with a terminal event, so errors can be reported in-band. */
  inBand: boolean;
}

/** One request on its way through the pipeline: what the steps know of it, filled in from top to bottom. */
export interface Call {
  readonly id: string;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly headers: HeaderMap;
  /** Target without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly clock: Clock;
  /** Time spent waiting for providers, ms: up to a whole answer or a stream's first content. */
  upstreamMs: number;
  /** Monotonic ms at which the head was read. */
  readonly startedAt: number;
  /** The configuration that decides this request, from the moment its key is known until its last byte. */
  config: Config;
  readonly route: Route | null;
  /** Why the target is refused although its path is known. */
  readonly routeError: SluiceError | null;
  /** The dialect of answers, set even when the path is unknown. */
  readonly dialect: Dialect;
  /** The current state; it is copied before it leaves this package. */
  readonly row: RequestRow;
  readonly detail: RequestDetail;
  readonly abort: Cancellation;
  /** null: nobody collects traces. */
  trace: Trace | null;
  key: KeyConfig | null;
  body: Buffer;
  /** The share of the process's body budget that this body takes. */
  bodyBytesReserved: number;
  envelope: Envelope | null;
  /** The model requested from providers: the client's, or the one that a routing rule replaces it with. */
  routedModel: string;
  /** The price at the provider that was asked about last; `priceOf` gives that of any. */
  price: PriceConfig | null;
  pricedProvider: ProviderConfig | null;
  choice: Choice<ProviderConfig> | null;
  leased: boolean;
  /** A part of the user's credit is reserved. */
  credited: boolean;
  /** The provider whose own limits hold something for this request; '' = none. */
  heldProviderId: string;
  /** Headers that describe the limit that refused the client. */
  limitHeaders: Record<string, string>;
  /** START is spooled: from here on the request ends with a FINISH. */
  began: boolean;
  /** The current or last provider and attempt. */
  provider: ProviderConfig | null;
  attempt: Attempt | null;
  /** Another provider had content first: this attempt is closed as the loser of a hedge. */
  isHedgeLost: boolean;
  /** Ends the current attempt when its provider limits the total time. */
  attemptDeadline: Deadline | null;
  answer: WholeAnswer | StreamAnswer | null;
  /** How the stream ended; null = properly. */
  streamError: Error | null;
  /** Monotonic ms of the last PROGRESS record and of the last live update. */
  progressAt: number;
  liveAt: number;
  /** The client left. */
  gone: boolean;
  /** Set when we end the call early (drain, cancelled, key revoked). */
  cut: SluiceError | null;
  /** Answered and recorded. */
  over: boolean;
}

/** What the request's target resolves to. */
export type Routing = Pick<Call, "path" | "query" | "route" | "routeError" | "dialect">;

/** ms since the head was read. */
export function elapsed(runtime: Runtime, call: Call): number {
  return Math.max(0, Math.round(runtime.clock.monotonic() - call.startedAt));
}

/** Opens a call for a request whose head was just read. */
export function openCall(runtime: Runtime, req: IncomingMessage, res: ServerResponse, routing: Routing): Call {
  const startedAtMs = runtime.clock.now();
  const id = newId(startedAtMs);
  // Only set-cookie can be an array, and no step reads it.
  const headers = req.headers as HeaderMap;
  const config = runtime.snapshot.current();
  const { path, query, route, routeError, dialect } = routing;
  const detail = emptyDetail(id);
  detail.userAgent = (headers["user-agent"] ?? "").slice(0, 256);
  detail.clientIp = clientIp(req, runtime.trustedHops);
  detail.path = path.slice(0, 256);
  // Not `...routing`: after a spread, V8 defines each further field of the literal by a runtime call.
  return {
    id,
    req,
    res,
    headers,
    path,
    query,
    route,
    routeError,
    dialect,
    clock: runtime.clock,
    upstreamMs: 0,
    startedAt: runtime.clock.monotonic(),
    config,
    row: {
      id,
      tenantId: config.tenantId,
      userId: "",
      keyId: "",
      sessionId: "",
      providerId: "",
      group: "",
      dialect: dialect.name,
      endpoint: route?.endpoint ?? "models",
      stream: route?.stream ?? false,
      model: route?.model ?? "",
      upstreamModel: "",
      state: "in_flight",
      status: 0,
      errorCode: "",
      attempts: 0,
      usage: noUsage,
      flags: [],
      costNanoUsd: null,
      billable: route?.endpoint !== "countTokens" && route?.endpoint !== "models",
      startedAtMs,
      ttftMs: null,
      durationMs: null,
      client: clientName(headers["user-agent"]),
      correctsId: null,
    },
    detail,
    abort: new Cancellation(),
    trace: null,
    key: null,
    body: emptyBody,
    bodyBytesReserved: 0,
    envelope: null,
    routedModel: "",
    price: null,
    pricedProvider: null,
    choice: null,
    leased: false,
    credited: false,
    heldProviderId: "",
    limitHeaders: noHeaders,
    began: false,
    provider: null,
    attempt: null,
    isHedgeLost: false,
    attemptDeadline: null,
    answer: null,
    streamError: null,
    progressAt: 0,
    liveAt: 0,
    gone: false,
    cut: null,
    over: false,
  };
}

/** Of a request whose body has not arrived, or is not needed any more. */
export const emptyBody = Buffer.alloc(0);
const noHeaders: Record<string, string> = {};

/** The peer's address, or the one our outermost proxy saw; never an entry that a client could have written itself. */
export function clientIp(req: IncomingMessage, trustedHops: number): string {
  const address = req.socket.remoteAddress ?? "";
  const peer = address.startsWith("::ffff:") ? address.slice(7) : address;
  const forwarded = req.headers["x-forwarded-for"];
  if (trustedHops < 1 || typeof forwarded !== "string") return peer;
  const seen = forwarded.split(",").map((part) => part.trim());
  const claimed = seen.at(-trustedHops) ?? "";
  return isIP(claimed) ? claimed : peer;
}
