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

/** Publish and resume: kept by Redis (PUBLISH + stream in one Lua) and by an in-process ring, with one contract. */
export interface Bus {
  /** Queued and sent in batches of 20 ms; never throws, never awaited by a request. */
  publish(event: LiveEvent): void;
  /** Sends what is queued now. */
  flush(): Promise<void>;
  /**
   * The id of the newest entry; lists return it so that a subscription can start where the list was read. Never
   * throws: while Redis cannot be asked it is an older id, or one that a subscription answers with a reset.
   */
  position(): Promise<BusId>;
  close(): Promise<void>;
}

/** Commands to all instances, this one included. Not replayed: who does not listen, or is away, never hears of one. */
export interface Commands {
  /**
   * Reaches this process's listeners before it returns. Resolves to whether the others could be told: false while Redis
   * is away, true without one. Never throws.
   */
  send(command: LiveCommand): Promise<boolean>;
  /** Returns the unsubscription. */
  listen(listener: (command: LiveCommand) => void): () => void;
  close(): void;
}

/** Frames per audience from one shared subscription per process. */
export interface Frames {
  /**
   * Replays from `after` ('' = only what comes), then follows. Ends when `signal` aborts (returns) and throws
   * AbortError on shutdown, so that the client reconnects. Replay is shaped by audience exactly like live.
   * Registers when called, not at the first `next()`. The first frame comes at once, also when it is empty: its id
   * is where to resume. A frame of a tick is one object for all subscribers of an audience. For an admin give
   * `userId`, so that `disconnect` can tell whose stream it is.
   */
  subscribe(audience: Audience, after: BusId, signal: AbortSignal): AsyncGenerator<LiveFrame, void, void>;
  /**
   * Ends every subscription of a user within a moment: after demotion, disabling, sign-out. Throws AbortError there:
   * the client reconnects and is authorised anew. A `user.changed` on the bus does the same in every process, and so
   * does a reset of the bus, after its frame: nobody knows what was lost.
   */
  disconnect(userId: string): void;
  /** Open subscriptions, for metrics. */
  count(): number;
  /** Those of administrators who hear of the system. */
  admins(): number;
  /** Those of administrators who asked for a topic by its name. */
  watching(topic: Topic): number;
  /** Frames given to subscribers since the start. */
  sent(): number;
  close(): Promise<void>;
}

/** Rows and details of requests that Postgres does not have yet, of every instance. */
export interface Registry {
  /** Publishes `request.started`. */
  started(row: RequestRow): void;
  /** Publishes `request.progressed` at most every 200 ms a request. `row` is the current state. */
  progressed(row: RequestRow): void;
  /** Publishes `request.finished` or `request.refused`; the row stays until `settled` names it. A string is the detail's JSON. */
  finished(row: RequestRow, detail: RequestDetail | string): void;
  /** Their rows are in Postgres. One that is still in flight here is kept until it has finished, too. */
  settled(ids: readonly string[]): void;
  /**
   * Takes in FINISHes found in the spool after a restart, and publishes them: viewers may still see them in flight.
   * Call it before the settler starts.
   */
  restore(finishes: readonly { row: RequestRow; detail: RequestDetail }[]): void;
  /**
   * Rows of all live instances, newest first, in an id range (exclusive, either end open), at most `limit`. Never
   * throws: while Redis is away it knows this instance's rows only.
   */
  list(range?: { before?: string; after?: string; limit?: number }): Promise<RequestRow[]>;
  /** `detail` is null in flight, and for the oldest of very many unsettled ones. */
  find(id: string): Promise<{ row: RequestRow; detail: RequestDetail | null } | null>;
  /** In flight on this instance now. */
  inFlight(): number;
  close(): Promise<void>;
}

/** Client conversations with recent activity, over all instances. */
export interface Sessions {
  /** The session's id for a key and the client's own id: scoped to the key. */
  idOf(keyId: string, clientSessionId: string): string;
  /** A request of the session began: makes it (`session.started`) or moves it (`session.updated`). */
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
  /** A request of the session ended; one for each `began`. */
  ended(row: RequestRow): void;
  /** Active now, latest activity first, at most 5,000. Never throws: [] while Redis is away. */
  list(): Promise<SessionRow[]>;
  /** How many are active, by user, as `list` would show them; null while Redis is away. */
  countByUser(): Promise<ReadonlyMap<string, number> | null>;
  /** Null when it is not active, and while Redis is away. */
  find(id: string): Promise<SessionRow | null>;
  /**
   * Ends it (`session.ended`) as soon as nothing of it is in flight; a request that begins meanwhile keeps it. Whoever
   * calls this has its requests cut. Never throws.
   */
  terminate(id: string): Promise<void>;
  /** What instances that died had in flight is forgotten, and told. @throws when Redis does not answer. */
  bury(lives: readonly string[]): Promise<void>;
  /** The active window changed: expiry is computed anew. */
  windowChanged(): void;
  close(): Promise<void>;
}

/** What every process of the installation says of itself, now and then. */
export interface Instances {
  /**
   * Begins to tell of this process: `read` gives what is true now, from memory. While an administrator watches, here or
   * elsewhere, it is also pushed (`system.measured`), every five seconds.
   */
  start(read: () => InstanceFacts): void;
  /**
   * Pushes figures as often, while an administrator anywhere asks for that topic: of this process, and in turn with the others what the
   * stores say. Nothing is asked of them otherwise.
   */
  pushFigures(figures: FigureSources): void;
  /** Tells now: something about it changed that matters. */
  tell(): void;
  /** All that were seen in the last day, newest news each. Never throws: this one only while Redis is away. */
  list(): Promise<InstanceState[]>;
  /** Says goodbye. */
  close(): Promise<void>;
}

export interface FigureSources {
  process(): ProcessFigures;
  /** Never throws. */
  stores(): Promise<StoreFigures>;
}

/** What the process itself has to say; the rest is known here. */
export type InstanceFacts = Omit<InstanceState, "id" | "seenAtMs" | "stopped" | "subscribers" | "framesPerSecond">;

/** Counters per provider, pushed as `provider.measured` at most once a second and provider while there is traffic. */
export interface ProviderFigures {
  /** An attempt at the provider begins: one more in flight there. */
  attemptStarted(providerId: string): void;
  /** The request is over: all of its attempts end here, and are counted. */
  requestFinished(row: RequestRow, attempts: readonly Attempt[]): void;
  /** Today's figures (zone of the settings) over all instances. Never throws: [] while Redis is away. */
  list(): Promise<ProviderHealth[]>;
  close(): Promise<void>;
}
