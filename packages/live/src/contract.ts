import type { Audience, BusId, LiveEvent, LiveFrame, SessionRow } from "@sluice/core/events";
import type { DialectName, RequestDetail, RequestRow } from "@sluice/core/requests";

/** Publish and resume: kept by Redis (PUBLISH + stream in one Lua) and by an in-process ring, with one contract. */
export interface Bus {
  /** Queued and sent in batches of 20 ms; never throws, never awaited by a request. */
  publish(event: LiveEvent): void;
  /** Sends what is queued now. */
  flush(): Promise<void>;
  /** The id of the newest entry; lists return it so that a subscription can start where the list was read. */
  position(): Promise<BusId>;
  close(): Promise<void>;
}

/** Frames per audience from one shared subscription per process. */
export interface Frames {
  /**
   * Replays from `after` ('' = only what comes), then follows. Ends when `signal` aborts (returns) and throws
   * AbortError on shutdown, so that the client reconnects. Replay is shaped by audience exactly like live.
   */
  subscribe(audience: Audience, after: BusId, signal: AbortSignal): AsyncGenerator<LiveFrame, void, void>;
  /** Ends every subscription of a user within a moment: after demotion, disabling, sign-out. */
  disconnect(userId: string): void;
  /** Open subscriptions, for metrics. */
  count(): number;
  close(): Promise<void>;
}

/** Rows and details of requests that Postgres does not have yet, of every instance. */
export interface Registry {
  /** Publishes `request.started`. */
  started(row: RequestRow): void;
  /** Publishes `request.progressed` at most every 200 ms a request. `row` is the current state. */
  progressed(row: RequestRow): void;
  /** Publishes `request.finished` or `request.refused`; the row stays until `settled` names it. */
  finished(row: RequestRow, detail: RequestDetail): void;
  settled(ids: readonly string[]): void;
  /** Rows of all live instances, newest first, in an id range (either end open). */
  list(range?: { before?: string; after?: string }): Promise<RequestRow[]>;
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
  }): void;
  /** A request of the session ended. */
  ended(row: RequestRow): void;
  list(): Promise<SessionRow[]>;
  close(): Promise<void>;
}
