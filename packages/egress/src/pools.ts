import type { Clock } from "@sluice/core/clock";
import { guardedConnector, type Resolve } from "./connector.ts";
import type { ProxyTarget, Target } from "./guard.ts";
import { OriginPool } from "./origin-pool.ts";
import { tunnelConnector } from "./tunnel.ts";

/** A proxy and the URL it was read from. */
export interface Route {
  url: string;
  proxy: ProxyTarget;
}

/** What a pool is requested with. */
interface PoolAsk {
  connections: number;
  connectTimeoutMs: number;
  proxy: Route | undefined;
}

export interface PoolLimits {
  /** Maximum number of pools; the idle one unused for longest makes room. */
  origins: number;
  /** An idle connection is closed after this, or sooner when the provider says so. */
  keepAliveMs: number;
  /** A pool without requests is dropped after this. */
  idlePoolMs: number;
}

const sweepEveryMs = 60_000;

/** Pools by origin and proxy, created on demand and dropped when idle, without a timer of its own. */
export class Pools {
  /** Keyed by origin, followed by a space and the proxy if there is one. */
  readonly #byOrigin = new Map<string, OriginPool>();
  /** Dropped pools that still finish their requests. */
  readonly #dropped = new Set<OriginPool>();
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #limits: PoolLimits;
  #sweptAt = 0;

  constructor(clock: Clock, resolve: Resolve, limits: PoolLimits) {
    this.#clock = clock;
    this.#resolve = resolve;
    this.#limits = limits;
  }

  get size(): number {
    return this.#byOrigin.size;
  }

  /**
   * The pool of a target's origin, through the proxy if there is one; marks it as used. If it was created for a different number
   * of connections, a new one replaces it and the old one finishes its requests.
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
    const pools = [...this.#dropped, ...this.#byOrigin.values()];
    this.#byOrigin.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(target: Target, connections: number, proxy: ProxyTarget | undefined): OriginPool {
    return new OriginPool(target.origin, {
      connections,
      keepAliveMs: this.#limits.keepAliveMs,
      connector: (timeoutMs) =>
        proxy ? tunnelConnector(this.#resolve, target, proxy, timeoutMs) : guardedConnector(this.#resolve, target, timeoutMs),
    });
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

  #drop(key: string, pool: OriginPool): void {
    this.#byOrigin.delete(key);
    this.#dropped.add(pool);
    pool
      .close()
      .catch(() => undefined)
      .finally(() => this.#dropped.delete(pool));
  }
}
