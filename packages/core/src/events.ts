import type { AlertIncident } from "./alerts/alert-view.ts";
import type { CacheFigures, CacheKind } from "./cache-kinds.ts";
import type { ProcessFigures, StoreFigures } from "./figures.ts";
import type { Decision, RequestRow } from "./requests.ts";

/**
 * What travels on the live bus. Rows carry `rev`: 0 started, 1… progress, FINAL_REV finished or refused; a reader
 * applies an event only when its rev is above the one it holds, so replays and reordering are harmless.
 */
export const FINAL_REV = 2 ** 30;

/** Of a row whose instance fell silent: above all progress, below its end. An instance that comes back counts on from here. */
export const LOST_REV = 2 ** 29;

/** The rev of a row that was read from a list, which carries none. */
export function revOfState(state: RequestRow["state"]): number {
  if (state === "in_flight") return 0;
  return state === "lost" ? LOST_REV : FINAL_REV;
}

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
  /** With what was read from or written to a cache. */
  inputTokens: number;
  /** Of the input: read from or written to a cache. */
  cacheTokens: number;
  outputTokens: number;
  /** Decimal nano-USD. */
  costNanoUsd: string;
  /** Since when the provider is the same one. */
  providerSinceMs: number;
  /** How the newest request's provider was chosen; '' when that is not known, or not for the viewer to know. */
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
  /** Why it last opened, '' when it never did. */
  cause: string;
  /** While half open: probes that succeeded, and how many in a row close it. */
  successes?: number;
  successesToClose?: number;
  /** ms since the epoch until which a probe that is under way may take; null when none is. */
  probeUntilMs?: number | null;
}

/** A credential of a provider that is left alone for a while, because it was refused. */
export interface CoolDown {
  providerId: string;
  /** Of the credential. */
  label: string;
  /** ms since the epoch; 0 = it is over. */
  untilMs: number;
  /** What it was answered. */
  cause: string;
}

/** Counters of one provider since the start of the day in the configured zone, plus what is going on now. */
export interface ProviderHealth {
  providerId: string;
  inFlight: number;
  requests: number;
  errors: number;
  costNanoUsd: string;
  breakers: BreakerState[];
  /** Absent when none of its credentials cools off, and where figures alone are told. */
  coolDowns?: CoolDown[];
}

/**
 * What became of the configuration file in one process: `failed` means that what was in force before still is. No
 * value of the file is in here.
 */
export interface ConfigFileState {
  /** As SLUICE_CONFIG names it. */
  path: string;
  status: "pending" | "applied" | "failed";
  /** ms since the epoch of the last attempt, and of the last that succeeded. */
  atMs: number;
  appliedAtMs: number | null;
  /** One a line: `line 4: providers[0].dialekt: unknown field`. Empty unless failed. */
  problems: string[];
  /** Of the last success: how many entries it made, changed and found as they should be, and what it left alone. */
  created: number;
  updated: number;
  unchanged: number;
  notes: string[];
}

/** What an instance's settler has done since its start, and how it works now. */
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

/** One process of the installation, as it says of itself; read from its memory, never from a database. */
export interface InstanceState {
  id: string;
  roles: string[];
  version: string;
  /** Of Node. */
  runtime: string;
  host: string;
  pid: number;
  startedAtMs: number;
  /** ms since the epoch, by the server that says so: older than 15 s means that it is gone, or cannot reach Redis. */
  seenAtMs: number;
  /** It said goodbye. */
  stopped?: boolean;
  memoryBytes: number;
  /** Event streams open here, and frames sent per second since the last time. */
  subscribers: number;
  framesPerSecond: number;
  /** null unless it is a gateway. */
  gateway: { inFlight: number; requests: number; draining: boolean; sessions?: BoundSessions } | null;
  spool: { depth: number; oldestAgeMs: number; quarantined: number; writable: boolean; settler?: SettlerState } | null;
  /** null when it has none. */
  config: ConfigFileState | null;
  /** Kinds of answers that it keeps, or was asked for. Absent in what older instances say. */
  caches?: Partial<Record<CacheKind, CacheFigures>>;
  /** The console's calls of the last five to ten minutes, their times as a sketch (core/latency-sketch). Absent as the above. */
  calls?: { count: number; sketch: string };
}

/** Sessions that stay with their provider, in one process; counts since its start. Absent in what older instances say. */
export interface BoundSessions {
  size: number;
  max: number;
  hits: number;
  misses: number;
}

/** A check of the books: invariants as SQL, in the background on one instance. */
export interface Reconciliation {
  id: string;
  startedAtMs: number;
  /** null while it runs. */
  finishedAtMs: number | null;
  /** Who asked for it, '' for the command line. */
  actorId: string;
  /** Stopped: the instance that ran it went away. */
  state: "running" | "done" | "stopped";
  /** Statements, in all and so far. */
  steps: number;
  stepsDone: number;
  /** Which statements were given up because they took too long: what they would have checked is not known. */
  unchecked: string[];
  /** The first hundred. */
  differences: BooksDifference[];
}

/** An administrator's order to price the requests of a model in a range anew, and how far it has come. */
export interface Repricing {
  id: string;
  model: string;
  /** The version it prices by. */
  priceId: string;
  /** Requests that began from `fromMs` on, before `toMs`. */
  fromMs: number;
  toMs: number;
  /** Up to where it has come. */
  reachedMs: number;
  /** Looked at so far, and those whose cost changed. */
  requests: number;
  corrected: number;
  /** By how much the cost has changed so far, decimal nano-USD, signed. */
  costNanoUsd: string;
  /** Who ordered it, '' for the command line. */
  actorId: string;
  createdAtMs: number;
  /** null while it runs. */
  finishedAtMs: number | null;
}

/** Two figures of the books that should be one. */
export interface BooksDifference {
  invariant: "I2" | "I3" | "I4" | "I5";
  /** Where: `rollups_hour`, `key_totals`, `requests`, … */
  table: string;
  /** The request, the key or user, or the full key of a bucket. */
  id: string;
  /** Whatever can be opened. */
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
      /** Outside the sample of a busy audience: to be counted, and to be taken by whoever has the row; nobody shows it anew. */
      aside?: true;
    }
  /** `row` with everything folded in, `rev` above the one before; `correction` is what was added: signed differences. */
  | { type: "request.corrected"; rev: number; row: RequestRow; correction: RequestRow; aside?: true }
  | { type: "session.started" | "session.updated" | "session.ended"; row: SessionRow }
  | { type: "provider.opened" | "provider.half-opened" | "provider.closed"; breaker: BreakerState; atMs: number }
  /** A credential was refused, or an administrator has them all tried again. */
  | { type: "credential.cooled"; coolDown: CoolDown }
  /** Figures of a provider moved: pushed at most once a second and provider while there is traffic. */
  | { type: "provider.measured"; health: ProviderHealth }
  /** Nouns changed in the console or by configuration; readers refetch that noun once. */
  | { type: "provider.changed" | "key.changed" | "user.changed" | "group.changed" | "price.changed"; id: string; userId?: string }
  /** A user's account moved: at once by an entry or new terms, and while their requests settle at most every two seconds. */
  | { type: "credit.changed"; id: string; userId: string }
  | { type: "settings.changed"; names: string[] }
  /** Postgres answers again, after somebody could not be shown something for want of it: what could not be read can be. */
  | { type: "database.returned" }
  | { type: "audit.added"; id: string }
  /** A record went to the quarantine, or somebody released or dismissed it. */
  | { type: "quarantine.changed"; id: string }
  /** A check of the books began, went on or ended. */
  | { type: "reconciliation.changed"; reconciliation: Reconciliation }
  /** A re-pricing was ordered, went on or is done. */
  | { type: "repricing.changed"; repricing: Repricing }
  /** What a rule watches went bad, or is well again: once for all instances. */
  | { type: "alert.fired" | "alert.resolved"; incident: AlertIncident }
  /** A rule or channel changed, or a message went out (then the incident's id). */
  | { type: "alert.changed"; id: string }
  /** The configuration file changed on disk and was applied, or could not be. */
  | { type: "config.applied" | "config.failed"; instanceId: string; config: ConfigFileState }
  /** Of each instance every five seconds, while an administrator has the console open. */
  | { type: "system.measured"; instance: InstanceState }
  /** The same for the page of figures, and what one instance for all of them asked PostgreSQL and Redis. */
  | { type: "figures.measured"; process: ProcessFigures }
  | { type: "stores.measured"; stores: StoreFigures };

export type LiveEventType = LiveEvent["type"];

/**
 * What a viewer may ask for: the kinds of events that are frequent. Of which a page wants some and not others, so that who looks at
 * providers is not sent each request. What is rare (a noun changed, a breaker opened) comes to everybody.
 */
export const topics = ["logs", "sessions", "providers", "system", "figures", "credits"] as const;
export type Topic = (typeof topics)[number];

/** null = rare: whatever was asked for. */
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

/** Whether a viewer of these topics (absent = all) hears of such events. */
export function isWanted(type: LiveEventType, wanted: readonly Topic[] | undefined): boolean {
  const topic = topicOf[type];
  return !wanted || topic === null || wanted.includes(topic);
}

/**
 * What somebody at a console asks of every instance. Best effort, unlike events: nobody replays a command, so whatever
 * must hold for good (a revoked key) also holds by the configuration.
 */
export type LiveCommand =
  | { kind: "request.cancel"; requestId: string }
  | { kind: "session.terminate"; sessionId: string }
  | { kind: "key.cut"; keyId: string }
  | { kind: "breaker.reset"; providerId: string }
  | { kind: "credential.cool"; coolDown: CoolDown };

/** `epoch:ms-seq` of the bus; '' = from now on. Compared part by part as numbers, never as text. */
export type BusId = string;

/**
 * What one subscriber receives. `events` hold at most 200 that are shown, last state per row. `reset` says why the position could
 * not be resumed: the reader refetches its lists once. `gap` counts what a bounded queue dropped.
 */
export interface LiveFrame {
  id: BusId;
  events: LiveEvent[];
  gap?: number;
  /** Above a thousand new rows a second: one in so many is shown, the others are `aside` and their progress is left out. Absent = all. */
  sample?: number;
  reset?: "epoch" | "too_old" | "ahead";
  /** Server wall time, for countdowns that do not trust the viewer's clock. */
  serverNowMs: number;
}

/**
 * Who a frame is for: admins see all (`userId` says which admin, so that the stream can be ended), a user sees what carries their id, who has
 * a key only (`keyId`) what carries that, too.
 * Of that, what belongs to `topics` and what is too rare to belong to one; absent = everything.
 */
export type Audience = ({ kind: "admin"; userId?: string } | { kind: "user"; userId: string; keyId?: string }) & {
  topics?: readonly Topic[];
};
