import type { AlertIncident } from "./alerts/alert-view.ts";
import type { CacheFigures, CacheKind } from "./cache-kinds.ts";
import type { ProcessFigures, StoreFigures } from "./figures.ts";
import type { Decision, RequestRow } from "./requests.ts";

/**
 * The events of the live bus. Rows carry `rev`: 0 started, 1… progress, FINAL_REV finished or refused. A reader
 * applies an event only when its rev is higher than the one it holds, so replays and reordering are harmless.
 */
export const FINAL_REV = 2 ** 30;

/** The rev of a row whose instance fell silent: above all progress, below its end. An instance that comes back continues from here. */
export const LOST_REV = 2 ** 29;

/** The rev of a row read from a list, which carries none. */
export function revOfState(state: RequestRow["state"]): number {
  if (state === "in_flight") return 0;
  return state === "lost" ? LOST_REV : FINAL_REV;
}

export interface SessionRow {
  /** Hash of `${keyId}:${client's session id}`: sessions of two keys never collide. */
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
  /** Including tokens read from or written to a cache. */
  inputTokens: number;
  /** The part of the input that was read from or written to a cache. */
  cacheTokens: number;
  outputTokens: number;
  /** Decimal nano-USD. */
  costNanoUsd: string;
  /** Since when the session has been with this provider. */
  providerSinceMs: number;
  /** How the newest request's provider was chosen; '' when unknown or hidden from the viewer. */
  chosenBy: Decision["chosenBy"] | "";
  rev: number;
}

export interface BreakerState {
  providerId: string;
  model: string;
  state: "closed" | "open" | "half_open";
  failures: number;
  /** ms since the epoch at which an open breaker lets a probe through; null unless open. */
  probeAtMs: number | null;
  /** Why it last opened; '' when it never did. */
  cause: string;
  /** While half open: successful probes so far, and how many in a row close it. */
  successes?: number;
  successesToClose?: number;
  /** ms since the epoch until which the current probe may take; null when there is none. */
  probeUntilMs?: number | null;
}

/** A provider's credential that is not used for a while because it was refused. */
export interface CoolDown {
  providerId: string;
  /** The label of the credential. */
  label: string;
  /** ms since the epoch; 0 = over. */
  untilMs: number;
  /** The provider's answer. */
  cause: string;
}

/** Counters of one provider since the start of the day in the configured zone, and its current state. */
export interface ProviderHealth {
  providerId: string;
  inFlight: number;
  requests: number;
  errors: number;
  costNanoUsd: string;
  breakers: BreakerState[];
  /** Absent when none of its credentials cools down, and where only figures are sent. */
  coolDowns?: CoolDown[];
}

/**
 * The outcome of the configuration file in one process. `failed` means that the previous configuration stays in force. It
 * contains no values of the file.
 */
export interface ConfigFileState {
  /** The path given in SLUICE_CONFIG. */
  path: string;
  status: "pending" | "applied" | "failed";
  /** ms since the epoch of the last attempt, and of the last successful one. */
  atMs: number;
  appliedAtMs: number | null;
  /** One per line: `line 4: providers[0].dialekt: unknown field`. Empty unless failed. */
  problems: string[];
  /** From the last success: how many entries were created, changed and already correct, and what was left alone. */
  created: number;
  updated: number;
  unchanged: number;
  notes: string[];
}

/** What an instance's settler has done since its start, and its current settings. */
export interface SettlerState {
  flushes: number;
  rows: number;
  failures: number;
  lastFailure: { atMs: number; reason: string } | null;
  recovered: number;
  mode: "batched" | "direct";
  durability: "fsync" | "write";
  batchSize: number;
  intervalMs: number;
}

/** One process of the installation as it reports itself; read from its memory, never from a database. */
export interface InstanceState {
  id: string;
  roles: string[];
  version: string;
  /** Node's version. */
  runtime: string;
  host: string;
  pid: number;
  startedAtMs: number;
  /** ms since the epoch by the server's clock: older than 15 s means that the instance is gone or cannot reach Redis. */
  seenAtMs: number;
  /** It announced that it stops. */
  stopped?: boolean;
  memoryBytes: number;
  /** Event streams open here, and frames sent per second since the last report. */
  subscribers: number;
  framesPerSecond: number;
  /** null unless it is a gateway. */
  gateway: { inFlight: number; requests: number; draining: boolean; sessions?: BoundSessions } | null;
  spool: { depth: number; oldestAgeMs: number; quarantined: number; writable: boolean; settler?: SettlerState } | null;
  /** null when it has none. */
  config: ConfigFileState | null;
  /** The kinds of answers it caches or was asked for. Absent from older instances. */
  caches?: Partial<Record<CacheKind, CacheFigures>>;
  /** The console's calls of the last 5 to 10 minutes, durations as a sketch (core/latency-sketch). Absent from older instances. */
  calls?: { count: number; sketch: string };
}

/** Sessions bound to their provider in one process; counts since its start. Absent from older instances. */
export interface BoundSessions {
  size: number;
  max: number;
  hits: number;
  misses: number;
}

/** A check of the books: invariants as SQL, run in the background on one instance. */
export interface Reconciliation {
  id: string;
  startedAtMs: number;
  /** null while it runs. */
  finishedAtMs: number | null;
  /** Who requested it; '' for the command line. */
  actorId: string;
  /** stopped: the instance that ran it went away. */
  state: "running" | "done" | "stopped";
  /** Number of statements: in total and so far. */
  steps: number;
  stepsDone: number;
  /** Statements abandoned because they took too long: what they would have found is unknown. */
  unchecked: string[];
  /** The first hundred. */
  differences: BooksDifference[];
}

/** An administrator's order to reprice a model's requests in a range, and its progress. */
export interface Repricing {
  id: string;
  model: string;
  /** The price version to apply. */
  priceId: string;
  /** Requests that began from `fromMs` up to but not including `toMs`. */
  fromMs: number;
  toMs: number;
  /** How far it has come. */
  reachedMs: number;
  /** Requests examined so far, and those whose cost changed. */
  requests: number;
  corrected: number;
  /** Change of the cost so far, decimal nano-USD, signed. */
  costNanoUsd: string;
  /** Who ordered it; '' for the command line. */
  actorId: string;
  createdAtMs: number;
  /** null while it runs. */
  finishedAtMs: number | null;
}

/** Two figures of the books that should be equal. */
export interface BooksDifference {
  invariant: "I2" | "I3" | "I4" | "I5";
  /** Where: `rollups_hour`, `key_totals`, `requests`, … */
  table: string;
  /** The request, the key or user, or the full key of a bucket. */
  id: string;
  /** Set for whatever the console can open. */
  requestId?: string;
  keyId?: string;
  userId?: string;
  /** Start of the bucket, ms since the epoch. */
  bucketMs?: number;
  expected: string;
  found: string;
}

export type LiveEvent =
  | {
      type: "request.started" | "request.progressed" | "request.lost" | "request.finished" | "request.refused";
      rev: number;
      row: RequestRow;
      /** It also began with this event: its start was not sent. */
      quick?: true;
      /** Outside the sample of a busy audience: it is counted and updates a row already shown, but adds no new row. */
      aside?: true;
    }
  /** `row` includes all corrections and `rev` is above the previous one; `correction` is what was added: signed differences. */
  | { type: "request.corrected"; rev: number; row: RequestRow; correction: RequestRow; aside?: true }
  | { type: "session.started" | "session.updated" | "session.ended"; row: SessionRow }
  | { type: "provider.opened" | "provider.half-opened" | "provider.closed"; breaker: BreakerState; atMs: number }
  /** A credential was refused, or an administrator asked for all of them to be tried again. */
  | { type: "credential.cooled"; coolDown: CoolDown }
  /** A provider's figures changed: pushed at most once per second and provider while there is traffic. */
  | { type: "provider.measured"; health: ProviderHealth }
  /** An entity changed in the console or by configuration; readers refetch that kind once. */
  | { type: "provider.changed" | "key.changed" | "user.changed" | "group.changed" | "price.changed"; id: string; userId?: string }
  /** A user's account changed: sent at once for entries and new terms, and at most every two seconds while requests settle. */
  | { type: "credit.changed"; id: string; userId: string }
  | { type: "settings.changed"; names: string[] }
  /** Postgres answers again after something could not be shown without it: such reads can be repeated. */
  | { type: "database.returned" }
  | { type: "audit.added"; id: string }
  /** A record was quarantined, or an administrator released or dismissed it. */
  | { type: "quarantine.changed"; id: string }
  /** A check of the books began, progressed or ended. */
  | { type: "reconciliation.changed"; reconciliation: Reconciliation }
  /** A repricing was ordered, progressed or finished. */
  | { type: "repricing.changed"; repricing: Repricing }
  /** What a rule watches went bad or is well again: once for all instances. */
  | { type: "alert.fired" | "alert.resolved"; incident: AlertIncident }
  /** A rule or channel changed, or a message was sent (then the incident's id). */
  | { type: "alert.changed"; id: string }
  /** The configuration file changed on disk and was applied, or could not be. */
  | { type: "config.applied" | "config.failed"; instanceId: string; config: ConfigFileState }
  /** Sent by each instance every five seconds while an administrator has the console open. */
  | { type: "system.measured"; instance: InstanceState }
  /** The same for the figures page, plus the PostgreSQL and Redis figures, which one instance reads for all. */
  | { type: "figures.measured"; process: ProcessFigures }
  | { type: "stores.measured"; stores: StoreFigures };

export type LiveEventType = LiveEvent["type"];

/**
 * Kinds of frequent events that a viewer can subscribe to, so that a page about providers does not receive every request.
 * Rare events (an entity changed, a breaker opened) go to everyone.
 */
export const topics = ["logs", "sessions", "providers", "system", "figures", "credits"] as const;
export type Topic = (typeof topics)[number];

/** null = rare: sent whatever the subscription. */
const topicOf: Record<LiveEventType, Topic | null> = {
  "request.started": "logs",
  "request.progressed": "logs",
  "request.lost": "logs",
  "request.finished": "logs",
  "request.refused": "logs",
  "request.corrected": "logs",
  "session.started": "sessions",
  "session.updated": "sessions",
  "session.ended": "sessions",
  "provider.opened": null,
  "provider.half-opened": null,
  "provider.closed": null,
  "credential.cooled": null,
  "provider.measured": "providers",
  "provider.changed": null,
  "key.changed": null,
  "user.changed": null,
  "group.changed": null,
  "price.changed": null,
  "credit.changed": "credits",
  "settings.changed": null,
  "database.returned": null,
  "audit.added": null,
  "quarantine.changed": null,
  "reconciliation.changed": null,
  "repricing.changed": null,
  "alert.fired": null,
  "alert.resolved": null,
  "alert.changed": null,
  "config.applied": null,
  "config.failed": null,
  "system.measured": "system",
  "figures.measured": "figures",
  "stores.measured": "figures",
};

/** Whether a viewer subscribed to these topics (absent = all) receives such events. */
export function isWanted(type: LiveEventType, wanted: readonly Topic[] | undefined): boolean {
  const topic = topicOf[type];
  return !wanted || topic === null || wanted.includes(topic);
}

/**
 * What a person at a console asks of every instance. Best effort, unlike events: commands are not replayed, so whatever
 * must hold permanently (a revoked key) is also enforced by the configuration.
 */
export type LiveCommand =
  | { kind: "request.cancel"; requestId: string }
  | { kind: "session.terminate"; sessionId: string }
  | { kind: "key.cut"; keyId: string }
  | { kind: "breaker.reset"; providerId: string }
  | { kind: "credential.cool"; coolDown: CoolDown };

/** Bus position `epoch:ms-seq`; '' = from now on. Compare part by part as numbers, never as text. */
export type BusId = string;

/**
 * What one subscriber receives. `events` holds at most 200 that are shown, with the last state per row. `reset` gives the reason
 * why the position could not be resumed: the reader refetches its lists once. `gap` counts what a bounded queue dropped.
 */
export interface LiveFrame {
  id: BusId;
  events: LiveEvent[];
  gap?: number;
  /** Above a thousand new rows per second, one in this many is shown; the others are `aside` and without progress. Absent = all. */
  sample?: number;
  reset?: "epoch" | "too_old" | "ahead";
  /** Server wall time, for countdowns that do not depend on the viewer's clock. */
  serverNowMs: number;
}

/**
 * Who a frame is for. Administrators see everything (`userId` identifies the administrator, so that the stream can be ended), users what
 * carries their id, and holders of a key (`keyId`) only what also carries that. `topics` limits frequent events; absent = all.
 */
export type Audience = ({ kind: "admin"; userId?: string } | { kind: "user"; userId: string; keyId?: string }) & {
  topics?: readonly Topic[];
};
