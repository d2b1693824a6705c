import { type buildConnector, Client, type Dispatcher } from "undici";

/** Told which connection carries it, so that a reset can be told apart from a reset of a reused one. */
export interface ConnectionAware extends Dispatcher.DispatchHandler {
  connection: Connection | null;
}

/** One TCP/TLS connection. */
export class Connection extends Client {
  /** How many were sent on the present socket. */
  requests = 0;
  /** Where it waits among the free ones; -1 while it carries a request. */
  place = -1;
}

interface OriginPoolOptions {
  /** Requests under way at most, and connections kept without one. */
  connections: number;
  keepAliveMs: number;
  /** How to connect to the origin within that time. */
  connector: (timeoutMs: number) => buildConnector.connector;
}

/**
 * The connections to one origin, each for one request at a time. A request takes the free one that was used last, so that
 * those which are too many grow old and close, else it opens another: that costs the same however many are busy, where
 * undici's own Pool asks each of them, twice.
 *
 * A connection is in use from `dispatch` until undici's `drain`, which comes once for each request that it queued: a
 * turn of the event loop after a whole answer, else when the socket is closed or could not be opened.
 */
export class OriginPool {
  /** Requests between dispatch and the end of their answer. */
  active = 0;
  /** On the monotonic clock. */
  usedAt = 0;
  /** Applies to connections opened from now on. */
  connectTimeoutMs = 0;
  readonly connections: number;
  readonly #origin: URL;
  readonly #options: Client.Options;
  readonly #all = new Set<Connection>();
  /**
   * The last one used at the end; null where one closed while it waited. As another is opened only when no place is left,
   * or for one that was taken and is gone, there are never more places than there were connections at once.
   */
  readonly #free: (Connection | null)[] = [];

  constructor(origin: string, { connections, keepAliveMs, connector }: OriginPoolOptions) {
    this.connections = connections;
    this.#origin = new URL(origin);
    // One connector per timeout value, because it carries the TLS session cache of the origin.
    const connectors = new Map<number, buildConnector.connector>();
    this.#options = {
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      allowH2: false,
      connect: (options, callback) => {
        let connect = connectors.get(this.connectTimeoutMs);
        if (!connect) {
          if (connectors.size > 8) connectors.clear();
          connect = connector(this.connectTimeoutMs);
          connectors.set(this.connectTimeoutMs, connect);
        }
        connect(options, callback);
      },
    };
  }

  /**
   * Whether another request must be refused: a queue would be a wait that no timeout of the request covers. A connection
   * outlasts its answer for a moment, or until it is connected if the client left before, and meanwhile another may be
   * opened in its place; hence the second bound.
   */
  get full(): boolean {
    return this.active >= this.connections || this.#all.size >= 2 * this.connections;
  }

  /** Sends a request; `fresh`: on a connection that nothing was sent on before. */
  dispatch(options: Dispatcher.DispatchOptions, handler: ConnectionAware, fresh = false): void {
    const connection = (fresh ? null : this.#take()) ?? this.#open();
    handler.connection = connection;
    const drained = connection.dispatch(options, handler);
    // Not even queued, because of a header that cannot be written: no drain follows.
    if (!drained && connection.stats.size === 0) this.#release(connection);
  }

  /** Ends with what it still carries. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection.close()));
  }

  /** Cuts what it still carries. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection.destroy()));
  }

  #take(): Connection | null {
    while (this.#free.length > 0) {
      const connection = this.#free.pop();
      if (!connection) continue;
      connection.place = -1;
      return connection;
    }
    return null;
  }

  #open(): Connection {
    const connection = new Connection(this.#origin, this.#options);
    connection
      .on("drain", () => this.#release(connection))
      .on("disconnect", () => {
        connection.requests = 0;
        // In use it is undici's: what was not written yet goes out on a new socket, and `drain` follows.
        if (connection.place >= 0) this.#drop(connection);
      })
      // undici would try some of its failures again, without end.
      .on("connectionError", () => this.#drop(connection));
    this.#all.add(connection);
    return connection;
  }

  /** Keeps what is connected, and no more than there may be. */
  #release(connection: Connection): void {
    if (connection.stats.connected && this.#all.size <= this.connections) connection.place = this.#free.push(connection) - 1;
    else this.#drop(connection);
  }

  #drop(connection: Connection): void {
    if (connection.place >= 0) this.#free[connection.place] = null;
    connection.place = -1;
    this.#all.delete(connection);
    void connection.destroy();
  }
}
