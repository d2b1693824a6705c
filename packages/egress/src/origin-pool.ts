import { type buildConnector, Client, type Dispatcher } from "undici";

/** Learns which connection carries it, so that the reset of a reused connection can be recognised. */
export interface ConnectionAware extends Dispatcher.DispatchHandler {
  connection: Connection | null;
}

export class Connection extends Client {
  /** Number of requests sent on the current socket. */
  requests = 0;
  /** Position in the free list; -1 while it carries a request. */
  place = -1;
}

interface OriginPoolOptions {
  /** Maximum number of concurrent requests, and of idle connections kept. */
  connections: number;
  keepAliveMs: number;
  /** Creates a connector to the origin with this timeout. */
  connector: (timeoutMs: number) => buildConnector.connector;
}

/**
 * The connections to one origin, each for one request at a time. A request takes the most recently used free connection, so
 * that surplus ones age and close, or else opens another. The cost does not depend on how many are busy, while undici's own
 * Pool asks each of them, twice.
 *
 * A connection is in use from `dispatch` until undici's `drain`, which is emitted once for each queued request: one turn of the
 * event loop after a whole answer, or else when the socket is closed or could not be opened.
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
   * Most recently used last; null where a connection closed while it was free. Another one is opened only when no entry is left,
   * or to replace one that was taken and is gone, so there are never more entries than there were connections at once.
   */
  readonly #free: (Connection | null)[] = [];

  constructor(origin: string, { connections, keepAliveMs, connector }: OriginPoolOptions) {
    this.connections = connections;
    this.#origin = new URL(origin);
    // One connector per timeout value, because a connector holds the origin's TLS session cache.
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
   * Whether another request must be refused, since a queue would be a wait that no timeout of the request covers. A connection
   * outlives its answer for a moment (or until it is connected, when the client left before), and another may be opened in its
   * place meanwhile; hence the second bound.
   */
  get full(): boolean {
    return this.active >= this.connections || this.#all.size >= 2 * this.connections;
  }

  /** Sends a request; `fresh`: on a connection that has not been used before. */
  dispatch(options: Dispatcher.DispatchOptions, handler: ConnectionAware, fresh = false): void {
    const connection = (fresh ? null : this.#take()) ?? this.#open();
    handler.connection = connection;
    const drained = connection.dispatch(options, handler);
    // Not even queued, because of a header that cannot be written: no drain follows.
    if (!drained && connection.stats.size === 0) this.#release(connection);
  }

  /** Closes the connections after their current requests. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection.close()));
  }

  /** Aborts the current requests. */
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
        // In use, undici handles it: what has not been written goes out on a new socket, and `drain` follows.
        if (connection.place >= 0) this.#drop(connection);
      })
      // undici would retry some of its failures endlessly.
      .on("connectionError", () => this.#drop(connection));
    this.#all.add(connection);
    return connection;
  }

  /** Keeps the connection if it is connected and there are not too many. */
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
