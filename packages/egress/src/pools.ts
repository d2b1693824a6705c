import type { Clock } from "@sluice/core/clock";
import { type buildConnector, Client, type Dispatcher, Pool } from "undici";
import { guardedConnector } from "./connector.ts";
import type { ProxyTarget, Target } from "./guard.ts";
import type { ResolvedAddress } from "./resolver.ts";
import { tunnelConnector } from "./tunnel.ts";

/** Told which connection carries it, so that a reset can be told apart from a reset of a reused one. */
export interface ConnectionAware extends Dispatcher.DispatchHandler {
  connection: Connection | null;
}

/** One TCP/TLS connection of a pool; `requests` counts what was sent on the present socket. */
export class Connection extends Client {
  requests = 0;

  constructor(origin: URL, options: object) {
    super(origin, options);
    this.on("connect", () => {
      this.requests = 0;
    });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if ("connection" in handler) handler.connection = this;
    return super.dispatch(options, handler);
  }
}

/** The pool of one origin. */
export interface OriginPool {
  pool: Pool;
  /** A connection of its own beside the pool; whoever opens it closes it. */
  fresh(): Connection;
  /** Requests between dispatch and the end of their answer. */
  active: number;
  /** Open connections at most; each carries one request at a time. */
  connections: number;
  usedAt: number;
  /** Applies to connections opened from now on. */
  connectTimeoutMs: number;
}

/** A proxy with the URL it was read from. */
export interface Route {
  url: string;
  proxy: ProxyTarget;
}

/** What a pool is asked for with. */
interface PoolAsk {
  connections: number;
  connectTimeoutMs: number;
  proxy: Route | undefined;
}

export interface PoolLimits {
  /** Origins that keep a pool; the longest unused idle one makes room. */
  origins: number;
  /** A connection without a request is closed after this, or sooner when the provider says so. */
  keepAliveMs: number;
  /** A pool without a request is dropped after this. */
  idlePoolMs: number;
}

const sweepEveryMs = 60_000;

/** Pools by origin and proxy; made on demand, dropped when idle; no timer of its own. */
export class Pools {
  /** By origin, and behind a space the proxy. */
  readonly #byOrigin = new Map<string, OriginPool>();
  /** Those that end with what they still carry. */
  readonly #dropped = new Set<Pool>();
  readonly #clock: Clock;
  readonly #resolve: (host: string) => Promise<readonly ResolvedAddress[]>;
  readonly #limits: PoolLimits;
  #sweptAt = 0;

  constructor(clock: Clock, resolve: (host: string) => Promise<readonly ResolvedAddress[]>, limits: PoolLimits) {
    this.#clock = clock;
    this.#resolve = resolve;
    this.#limits = limits;
  }

  /** Number of origins with a pool. */
  get size(): number {
    return this.#byOrigin.size;
  }

  /**
   * The pool of a target's origin, through that proxy if there is one; marked as used now. Where another number of
   * connections is asked for than it was made for, a new one takes its place, and what it carries ends on it.
   */
  get(target: Target, { connections, connectTimeoutMs, proxy }: PoolAsk): OriginPool {
    const key = proxy ? `${target.origin} ${proxy.url}` : target.origin;
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt > sweepEveryMs) this.#sweep(now);
    let entry = this.#byOrigin.get(key);
    if (entry && entry.connections !== connections) this.#drop(key, entry);
    if (entry?.connections !== connections) {
      this.#makeRoom();
      entry = this.#open(target, connections, proxy?.proxy);
      this.#byOrigin.set(key, entry);
    }
    entry.usedAt = now;
    entry.connectTimeoutMs = connectTimeoutMs;
    return entry;
  }

  /** Destroys every connection. */
  async close(): Promise<void> {
    const pools = [...this.#dropped, ...[...this.#byOrigin.values()].map(({ pool }) => pool)];
    this.#byOrigin.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(target: Target, connections: number, proxy: ProxyTarget | undefined): OriginPool {
    // One connector per timeout value, because it carries the TLS session cache of the origin.
    const connectors = new Map<number, buildConnector.connector>();
    const options = {
      pipelining: 1,
      keepAliveTimeout: this.#limits.keepAliveMs,
      keepAliveMaxTimeout: this.#limits.keepAliveMs,
      allowH2: false,
      connect: (options: buildConnector.Options, callback: buildConnector.Callback) => {
        const timeoutMs = entry.connectTimeoutMs;
        let connector = connectors.get(timeoutMs);
        if (!connector) {
          if (connectors.size > 8) connectors.clear();
          connector = proxy ? tunnelConnector(this.#resolve, target, proxy, timeoutMs) : guardedConnector(this.#resolve, target, timeoutMs);
          connectors.set(timeoutMs, connector);
        }
        connector(options, callback);
      },
    };
    const entry: OriginPool = {
      active: 0,
      connections,
      usedAt: 0,
      connectTimeoutMs: 0,
      pool: new Pool(target.origin, {
        ...options,
        connections,
        factory: (origin, options) => new Connection(origin, options),
      }),
      fresh: () => new Connection(new URL(target.origin), options),
    };
    return entry;
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [origin, entry] of this.#byOrigin) {
      if (entry.active === 0 && now - entry.usedAt > this.#limits.idlePoolMs) this.#drop(origin, entry);
    }
  }

  #makeRoom(): void {
    if (this.#byOrigin.size < this.#limits.origins) return;
    let oldest: [string, OriginPool] | null = null;
    for (const pair of this.#byOrigin) {
      if (pair[1].active === 0 && (oldest === null || pair[1].usedAt < oldest[1].usedAt)) oldest = pair;
    }
    if (oldest) this.#drop(...oldest);
  }

  #drop(origin: string, entry: OriginPool): void {
    this.#byOrigin.delete(origin);
    const { pool } = entry;
    this.#dropped.add(pool);
    pool
      .close()
      .catch(() => undefined)
      .finally(() => this.#dropped.delete(pool));
  }
}
