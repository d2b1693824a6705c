import type { RequestRow } from "./requests.ts";

/**
 * What travels on the live bus. Rows carry `rev`: 0 started, 1… progress, FINAL_REV finished or refused; a reader
 * applies an event only when its rev is above the one it holds, so replays and reordering are harmless.
 */
export const FINAL_REV = 2 ** 30;

export interface SessionRow {
  /** `${keyId}:${client's session id}`, hashed: sessions of two keys never meet. */
  id: string;
  userId: string;
  keyId: string;
  providerId: string;
  model: string;
  client: string;
  startedAtMs: number;
  lastActivityAtMs: number;
  inFlight: number;
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** Decimal nano-USD. */
  costNanoUsd: string;
  rev: number;
}

export interface BreakerState {
  providerId: string;
  model: string;
  state: "closed" | "open" | "half_open";
  failures: number;
  /** ms since the epoch at which an open breaker lets a probe through; null unless open. */
  probeAtMs: number | null;
  /** Why it last opened, '' when it never did. */
  cause: string;
  /** While half open: probes that succeeded, and how many in a row close it. */
  successes?: number;
  successesToClose?: number;
  /** ms since the epoch until which a probe that is under way may take; null when none is. */
  probeUntilMs?: number | null;
}

/** Counters of one provider since the start of the day in the configured zone, plus what is going on now. */
export interface ProviderHealth {
  providerId: string;
  inFlight: number;
  requests: number;
  errors: number;
  costNanoUsd: string;
  breakers: BreakerState[];
}

export type LiveEvent =
  | { type: "request.started" | "request.progressed" | "request.finished" | "request.refused"; rev: number; row: RequestRow }
  | { type: "session.started" | "session.updated" | "session.ended"; row: SessionRow }
  | { type: "provider.opened" | "provider.half-opened" | "provider.closed"; breaker: BreakerState; atMs: number }
  /** Figures of a provider moved: pushed at most once a second and provider while there is traffic. */
  | { type: "provider.measured"; health: ProviderHealth }
  /** Nouns changed in the console or by configuration; readers refetch that noun once. */
  | { type: "provider.changed" | "key.changed" | "user.changed" | "price.changed"; id: string; userId?: string }
  | { type: "settings.changed"; names: string[] };

export type LiveEventType = LiveEvent["type"];

/**
 * What somebody at a console asks of every instance. Best effort, unlike events: nobody replays a command, so whatever
 * must hold for good (a revoked key) also holds by the configuration.
 */
export type LiveCommand =
  | { kind: "request.cancel"; requestId: string }
  | { kind: "session.terminate"; sessionId: string }
  | { kind: "key.cut"; keyId: string }
  | { kind: "breaker.reset"; providerId: string };

/** `epoch:ms-seq` of the bus; '' = from now on. Compared part by part as numbers, never as text. */
export type BusId = string;

/**
 * What one subscriber receives. `events` hold at most 200, last state per row. `reset` says why the position could
 * not be resumed: the reader refetches its lists once. `gap` counts what a bounded queue dropped.
 */
export interface LiveFrame {
  id: BusId;
  events: LiveEvent[];
  gap?: number;
  reset?: "epoch" | "too_old" | "ahead";
  /** Server wall time, for countdowns that do not trust the viewer's clock. */
  serverNowMs: number;
}

/** Who a frame is for: admins see all (`userId` says which admin, so that the stream can be ended), a user sees what carries their id. */
export type Audience = { kind: "admin"; userId?: string } | { kind: "user"; userId: string };
