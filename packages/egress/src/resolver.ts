import { lookup, Resolver } from "node:dns/promises";
import type { Clock } from "@sluice/core/clock";

/** One address of a name, and how long it may be cached. */
export interface ResolvedAddress {
  address: string;
  family: 4 | 6;
  ttlS: number;
}

/** Looks up all addresses of a name; rejects when there are none. */
export type AddressSource = (host: string) => Promise<ResolvedAddress[]>;

const maxEntries = 1_000;
const maxTtlMs = 300_000;
const minTtlMs = 1_000;
/** How long an expired name stays usable during a DNS outage. */
const staleMs = 600_000;

interface Entry {
  addresses: ResolvedAddress[];
  freshUntil: number;
  staleUntil: number;
}

/**
 * c-ares for both families, because getaddrinfo would share libuv's four threads with the ledger's fdatasync. Only names that
 * c-ares cannot find (/etc/hosts, search domains) go to getaddrinfo; `localhost` is answered here.
 */
export function systemAddresses(): AddressSource {
  const cares = new Resolver({ timeout: 2_000, tries: 2 });
  return async (host) => {
    if (host === "localhost") {
      return [
        { address: "127.0.0.1", family: 4, ttlS: 300 },
        { address: "::1", family: 6, ttlS: 300 },
      ];
    }
    const [v4, v6] = await Promise.allSettled([cares.resolve4(host, { ttl: true }), cares.resolve6(host, { ttl: true })]);
    const found: ResolvedAddress[] = [];
    if (v4.status === "fulfilled") for (const one of v4.value) found.push({ address: one.address, family: 4, ttlS: one.ttl });
    if (v6.status === "fulfilled") for (const one of v6.value) found.push({ address: one.address, family: 6, ttlS: one.ttl });
    if (found.length > 0) return found;
    const local = await lookup(host, { all: true });
    return local.map((one) => ({ address: one.address, family: one.family === 6 ? 6 : 4, ttlS: 30 }));
  };
}

/** Lookups with a cache bounded by the records' TTL (1 s to 300 s) and by 1,000 names; one query in flight per name. */
export function createResolver(clock: Clock, source: AddressSource): (host: string) => Promise<readonly ResolvedAddress[]> {
  const cache = new Map<string, Entry>();
  const asking = new Map<string, Promise<readonly ResolvedAddress[]>>();

  async function ask(host: string): Promise<readonly ResolvedAddress[]> {
    try {
      const addresses = await source(host);
      if (addresses.length === 0) throw new Error(`no address for ${host}`);
      const ttlMs = Math.min(maxTtlMs, Math.max(minTtlMs, Math.min(...addresses.map((one) => one.ttlS)) * 1_000));
      const now = clock.monotonic();
      cache.delete(host);
      cache.set(host, { addresses, freshUntil: now + ttlMs, staleUntil: now + ttlMs + staleMs });
      if (cache.size > maxEntries) {
        const oldest = cache.keys().next();
        if (!oldest.done) cache.delete(oldest.value);
      }
      return addresses;
    } catch (error) {
      const known = cache.get(host);
      if (known && known.staleUntil > clock.monotonic()) return known.addresses;
      throw error;
    } finally {
      asking.delete(host);
    }
  }

  return (host) => {
    const known = cache.get(host);
    if (known && known.freshUntil > clock.monotonic()) return Promise.resolve(known.addresses);
    let pending = asking.get(host);
    if (!pending) {
      pending = ask(host);
      asking.set(host, pending);
    }
    return pending;
  };
}
