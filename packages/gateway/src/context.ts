import type { Admission } from "@sluice/admission/admission";
import type { Credit } from "@sluice/admission/credit";
import type { ChurningMap } from "@sluice/core/churning-map";
import type { Clock } from "@sluice/core/clock";
import type { Log } from "@sluice/core/log";
import type { RequestDetail, RequestRow } from "@sluice/core/requests";
import type { Egress } from "@sluice/egress/contract";
import type { Ledger } from "@sluice/ledger/records";
import type { Commands, ProviderFigures, Registry, Sessions } from "@sluice/live/contract";
import type { Snapshot } from "@sluice/snapshot/config";
import type { Call } from "./call.ts";
import type { Deadlines } from "./deadlines.ts";
import type { HedgeBudget } from "./hedge-budget.ts";
import type { Tracer } from "./tracing.ts";

/** The parts of the system that a request passes through. */
export interface GatewayContext {
  snapshot: Snapshot;
  admission: Admission;
  credit: Pick<Credit, "reserve" | "spend" | "release">;
  ledger: Ledger;
  registry: Registry;
  sessions: Sessions;
  figures: ProviderFigures;
  commands: Commands;
  egress: Egress;
  /** Default: the system's. */
  clock?: Clock;
  log: Log;
  /** How many proxies in front are ours: that many entries at the end of `x-forwarded-for` are trusted. */
  trustedHops: number;
  /** Absent: nobody collects traces. */
  tracer?: Tracer | undefined;
  limits?: Partial<GatewayLimits>;
}

export interface GatewayLimits {
  /** A request's body, bytes. */
  bodyBytes: number;
  /** Bodies of all requests in flight, bytes. */
  bodiesBytes: number;
  /**
   * A body that takes longer must bring so many bytes in each such period (1 MB a minute = 140 kbit/s): what it occupies of
   * `bodiesBytes` is not for clients that stall or trickle.
   */
  bodyPeriodMs: number;
  bodyPeriodBytes: number;
  headers: number;
  /** Whole answers up to this many bytes are held; a larger one is streamed and its usage estimated. */
  answerBytes: number;
  /** How much is held before the first content: bytes, and ms after the upstream's head. */
  holdBytes: number;
  holdMs: number;
  /** A client that reads nothing for this long counts as gone. */
  stalledClientMs: number;
  /** Minimum time between two PROGRESS records, and between two live updates, of one stream. */
  progressMs: number;
  liveMs: number;
  /** Refusals without a valid key that are logged per second; further ones are only counted. */
  anonymousRowsPerSecond: number;
}

export const defaultLimits: GatewayLimits = {
  bodyBytes: 32 * 1024 * 1024,
  bodiesBytes: 256 * 1024 * 1024,
  bodyPeriodMs: 60_000,
  bodyPeriodBytes: 1024 * 1024,
  headers: 100,
  answerBytes: 16 * 1024 * 1024,
  holdBytes: 64 * 1024,
  holdMs: 15_000,
  stalledClientMs: 120_000,
  progressMs: 500,
  liveMs: 200,
  anonymousRowsPerSecond: 10,
};

/** Counters of this process's requests. */
export interface GatewayStats {
  inFlight: number;
  /** Bytes of request bodies in memory. */
  bodyBytes: number;
  /** Since the start of the process. */
  requests: number;
  /** Refused without a valid key, logged or not. */
  refusedAnonymous: number;
  /** Requests whose FINISH could not be written. */
  unrecorded: number;
  draining: boolean;
}

/** The context together with the gateway's own state: what the steps work with. */
export interface Runtime extends Omit<GatewayContext, "limits" | "clock"> {
  clock: Clock;
  limits: GatewayLimits;
  deadlines: Deadlines;
  /** Requests in flight by id. */
  calls: ChurningMap<string, Call>;
  hedges: HedgeBudget;
  stats: GatewayStats;
  /** Writes the log line of a finished request. */
  logRequest(row: RequestRow, detail: RequestDetail): void;
  /** Whether one more anonymous refusal may be logged now. */
  mayLogAnonymous(): boolean;
}

/** One stage of a request. It refuses by throwing; `call.over` ends the pipeline. */
export type Step = (runtime: Runtime, call: Call) => Promise<void> | void;
