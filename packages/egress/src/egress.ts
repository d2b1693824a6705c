/**
 * The only way out of the process. No request reaches an address that an administrator has not allowed (the URL's host, every
 * address it resolves to and the connected peer are checked), answers are decoded only by size-limited gzip or deflate,
 * redirects are never followed, and every wait ends. It is a package of its own so that there is a single place to guard:
 * nothing else in the project imports an HTTP client.
 */
import type { Socket } from "node:net";
import { type Clock, systemClock } from "@sluice/core/clock";
import { SluiceError } from "@sluice/core/errors";
import type { Log } from "@sluice/core/log";
import { literalOf } from "./address.ts";
import { guardedConnector } from "./connector.ts";
import type { Egress, EgressRequest } from "./contract.ts";
import { decode } from "./encoding.ts";
import { beforeHead, Exchange, StaleConnection } from "./exchange.ts";
import { readAllowList, readProxy, readTarget, type Target } from "./guard.ts";
import { type PoolLimits, Pools, type Route } from "./pools.ts";
import { type AddressSource, createResolver, systemAddresses } from "./resolver.ts";
import { SilenceWatch } from "./silence-watch.ts";

export interface EgressOptions {
  /** Entries of SLUICE_ALLOW_PRIVATE_UPSTREAMS: `host` or `host:port`. */
  allowPrivateHosts: readonly string[];
  log: Log;
  clock?: Clock;
  /** Replaces DNS in tests. */
  addresses?: AddressSource;
  /** Concurrent requests per origin, each on its own connection; read for each request. Default 2,048. */
  connectionsPerOrigin?: () => number;
  limits?: Partial<PoolLimits>;
}

const defaultConnectionsPerOrigin = 2_048;
const defaultLimits: PoolLimits = { origins: 256, keepAliveMs: 30_000, idlePoolMs: 300_000 };

const maxTargets = 1_000;

/** Opens the way out. Close it last: open answers are cut off. */
export function createEgress(options: EgressOptions): Egress {
  const allowList = readAllowList(options.allowPrivateHosts);
  if (allowList.invalid.length > 0)
    options.log.warn({ entries: allowList.invalid }, "SLUICE_ALLOW_PRIVATE_UPSTREAMS has entries that are no host");
  const limits = { ...defaultLimits, ...options.limits };
  const connectionsPerOrigin = options.connectionsPerOrigin ?? (() => defaultConnectionsPerOrigin);
  const clock = options.clock ?? systemClock;
  const resolve = createResolver(clock, options.addresses ?? systemAddresses());
  const pools = new Pools(clock, resolve, limits);
  const watch = new SilenceWatch();

  /** Rules never change during the lifetime of an egress, so their results are cached; models in paths make many URLs, hence the bound. */
  const targets = new Map<string, Target>();
  function targetOf(url: string): Target {
    let target = targets.get(url);
    if (!target) {
      target = readTarget(url, allowList);
      if (targets.size >= maxTargets) targets.clear();
      targets.set(url, target);
    }
    return target;
  }

  const proxies = new Map<string, Route>();
  function routeOf(url: string): Route {
    let route = proxies.get(url);
    if (!route) {
      route = { url, proxy: readProxy(url, allowList) };
      if (proxies.size >= maxTargets) proxies.clear();
      proxies.set(url, route);
    }
    return route;
  }

  /** `fresh`: on a connection that has not been used before. */
  function send(target: Target, request: EgressRequest, fresh = false): Exchange {
    const origin = pools.get(target, {
      connections: connectionsPerOrigin(),
      connectTimeoutMs: request.connectTimeoutMs,
      proxy: request.proxy === undefined ? undefined : routeOf(request.proxy),
    });
    if (origin.full) throw new SluiceError("overloaded", { detail: `all connections to ${target.origin} are in use` });
    const exchange = new Exchange(origin, watch, request);
    origin.dispatch(
      {
        path: target.path,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        // The exchange has its own.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      exchange,
      fresh,
    );
    return exchange;
  }

  return {
    request(request) {
      let target: Target;
      let exchange: Exchange;
      try {
        target = targetOf(request.url);
        if (request.signal?.aborted) throw request.signal.reason;
        exchange = send(target, request);
      } catch (error) {
        return Promise.reject(error);
      }
      return exchange.head.then(
        ({ status, headers }) => decode(status, headers, exchange),
        async (error: unknown) => {
          if (!(error instanceof StaleConnection)) throw error;
          // Other kept-alive connections may be stale as well, so it is repeated once on a new one.
          const again = send(target, request, true);
          const { status, headers } = await again.head;
          return decode(status, headers, again);
        },
      );
    },

    async connect({ host, port, timeoutMs }) {
      const target = readTarget(`http://${literalOf(host)?.includes(":") ? `[${host}]` : host}:${port}`, allowList);
      const connected = Promise.withResolvers<Socket>();
      const at = { protocol: "http:", hostname: target.host, host: target.host, port: String(port) };
      guardedConnector(resolve, target, timeoutMs)(at, (error, socket) => (socket ? connected.resolve(socket) : connected.reject(error)));
      return connected.promise.catch((thrown: unknown) => {
        throw beforeHead(thrown, false);
      });
    },

    checkUrl: (url) => check(() => readTarget(url, allowList), "baseUrl"),
    checkProxy: (url) => check(() => readProxy(url, allowList), "proxy"),

    async close() {
      await pools.close();
      watch.close();
    },
  };
}

/** Turns a failed rule into an `invalid_request` at a form field. @throws SluiceError `invalid_request`. */
function check(rule: () => unknown, field: string): void {
  try {
    rule();
  } catch (error) {
    const detail = error instanceof SluiceError ? error.detail : "";
    throw new SluiceError("invalid_request", { message: "This address is not allowed.", detail, field });
  }
}
