import type {
  Audience,
  BusId,
  InstanceState,
  LiveCommand,
  LiveEvent,
  LiveFrame,
  ProviderHealth,
  SessionRow,
  Topic,
} from "@sluice/core/events";
import type { ProcessFigures, StoreFigures } from "@sluice/core/figures";
import type { Attempt, DialectName, RequestDetail, RequestRow } from "@sluice/core/requests";

/** Publish and resume, with one contract: implemented by Redis (PUBLISH and a stream in one Lua script) and by an in-process ring. */
export interface Bus {
  /** Queued and sent in batches of 20 ms; never throws, never awaited by a request. */
  publish(event: LiveEvent): void;
  /** Sends what is queued now. */
  flush(): Promise<void>;
  /**
   * The id of the newest entry. Lists return it, so that a subscription can start where the list was read. Never throws:
   * while Redis is unavailable it is an older id, or one that a subscription answers with a reset.
   */
  position(): Promise<BusId>;
  close(): Promise<void>;
}

/** Commands to all instances, including this one. Not replayed: a process that is not listening never receives them. */
export interface Commands {
  /**
   * Reaches this process's listeners before it returns. Resolves to whether the others could be told: false while Redis is
   * unavailable, true when there is none. Never throws.
   */
  send(command: LiveCommand): Promise<boolean>;
  /** Returns a function that unsubscribes. */
  listen(listener: (command: LiveCommand) => void): () => void;
  close(): void;
}

/** Frames per audience from one shared subscription per process. */
export interface Frames {
  /**
   * Replays from `after` ('' = only new events), then follows. When `signal` aborts it returns; on shutdown it throws
   * AbortError, so that the client reconnects. A replay is shaped by audience exactly like live events. It registers when
   * called, not at the first `next()`. The first frame comes at once, even if it is empty: its id is where to resume. A
   * frame of a tick is one object shared by all subscribers of an audience. For an administrator pass `userId`, so that
   * `disconnect` can identify the stream.
   */
  subscribe(audience: Audience, after: BusId, signal: AbortSignal): AsyncGenerator<LiveFrame, void, void>;
  /**
   * Ends every subscription of a user within a moment: after demotion, disabling or sign-out. They throw AbortError: the
   * client reconnects and is authorised again. A `user.changed` event on the bus does the same in every process, and so does
   * a reset of the bus, after its frame, because it is unknown what was lost.
   */
  disconnect(userId: string): void;
  /** Open subscriptions, for metrics. */
  count(): number;
  /** Those of administrators that receive system events. */
  admins(): number;
  /** Those of administrators that asked for a topic by name. */
  watching(topic: Topic): number;
  /** Frames given to subscribers since the start. */
  sent(): number;
  close(): Promise<void>;
}

/** Rows and details of requests that Postgres does not have yet, of every instance. */
export interface Registry {
  /** Publishes `request.started`. */
  started(row: RequestRow): void;
  /** Publishes `request.progressed`, at most every 200 ms per request. `row` is the current state. */
  progressed(row: RequestRow): void;
  /** Publishes `request.finished` or `request.refused`; the row stays until `settled` names it. A Buffer is the JSON of the detail. */
  finished(row: RequestRow, detail: RequestDetail | Buffer): void;
  /** Their rows are in Postgres. A request that is still in flight here is kept until it has finished as well. */
  settled(ids: readonly string[]): void;
  /**
   * Takes over FINISHes found in the spool after a restart, and publishes them: viewers may still see them in flight. Call it
   * before the settler starts.
   */
  restore(finishes: readonly { row: RequestRow; detail: RequestDetail }[]): void;
  /**
   * Rows of all live instances, newest first, in an id range (exclusive, either end open), at most `limit`. Never throws:
   * while Redis is unavailable it returns only this instance's rows.
   */
  list(range?: { before?: string; after?: string; limit?: number }): Promise<RequestRow[]>;
  /** `detail` is null in flight, and for the oldest of very many unsettled requests. */
  find(id: string): Promise<{ row: RequestRow; detail: RequestDetail | null } | null>;
  /** In flight on this instance now. */
  inFlight(): number;
  close(): Promise<void>;
}

/** Client conversations with recent activity, across all instances. */
export interface Sessions {
  /** The session's id for a key and the client's own id; scoped to the key. */
  idOf(keyId: string, clientSessionId: string): string;
  /** A request of the session began: creates it (`session.started`) or updates it (`session.updated`). */
  began(session: {
    id: string;
    userId: string;
    keyId: string;
    providerId: string;
    model: string;
    client: string;
    dialect: DialectName;
    /** How this request's provider was chosen. */
    chosenBy?: SessionRow["chosenBy"];
  }): void;
  /** A request of the session ended; called once for each `began`. */
  ended(row: RequestRow): void;
  /** Currently active, latest activity first, at most 5,000. Never throws: [] while Redis is unavailable. */
  list(): Promise<SessionRow[]>;
  /** Number of active sessions by user, consistent with `list`; null while Redis is unavailable. */
  countByUser(): Promise<ReadonlyMap<string, number> | null>;
  /** Null when it is not active, and while Redis is unavailable. */
  find(id: string): Promise<SessionRow | null>;
  /**
   * Ends the session (`session.ended`) as soon as it has nothing in flight; a request that begins meanwhile keeps it. The caller
   * is responsible for cutting its requests. Never throws.
   */
  terminate(id: string): Promise<void>;
  /** Removes what dead instances had in flight, and publishes the change. @throws when Redis does not answer. */
  bury(lives: readonly string[]): Promise<void>;
  /** The active window changed: expiry is computed again. */
  windowChanged(): void;
  close(): Promise<void>;
}

/** What every process of the installation reports about itself at intervals. */
export interface Instances {
  /**
   * Starts reporting this process: `read` returns its current state, from memory. While an administrator watches, here or
   * elsewhere, it is also pushed (`system.measured`), every five seconds.
   */
  start(read: () => InstanceFacts): void;
  /**
   * Pushes figures equally often while an administrator anywhere asks for that topic: those of this process and, taking turns with
   * the other processes, those of the stores. Otherwise the stores are not queried.
   */
  pushFigures(figures: FigureSources): void;
  /** Reports now, because something important about it changed. */
  tell(): void;
  /** All that were seen in the last day, each with its latest report. Never throws: only this one while Redis is unavailable. */
  list(): Promise<InstanceState[]>;
  /** Reports that this process stops. */
  close(): Promise<void>;
}

export interface FigureSources {
  process(): ProcessFigures;
  /** Never throws. */
  stores(): Promise<StoreFigures>;
}

/** What the process itself reports; the rest is known here. */
export type InstanceFacts = Omit<InstanceState, "id" | "seenAtMs" | "stopped" | "subscribers" | "framesPerSecond">;

/** Counters per provider, pushed as `provider.measured` at most once per second and provider while there is traffic. */
export interface ProviderFigures {
  /** An attempt at the provider begins: one more in flight there. */
  attemptStarted(providerId: string): void;
  /** The request is over: all of its attempts end here, and are counted. */
  requestFinished(row: RequestRow, attempts: readonly Attempt[]): void;
  /** Today's figures (in the configured zone) across all instances. Never throws: [] while Redis is unavailable. */
  list(): Promise<ProviderHealth[]>;
  close(): Promise<void>;
}
