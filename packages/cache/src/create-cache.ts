import { type CacheFigures, type CacheKind, cacheKindNames, cacheSetting } from "@sluice/core/cache-kinds";
import { type Clock, systemClock } from "@sluice/core/clock";
import type { Settings } from "@sluice/core/inputs/settings";
import { type Log, silentLog } from "@sluice/core/log";
import type { Redis } from "ioredis";
import type { Cache, Cached, CacheEntry, CacheTag } from "./cache.ts";
import { keptText, valueOfKept } from "./kept-text.ts";
import { createMemoryTier, type MemoryLimits } from "./memory-tier.ts";
import { type Begun, createRedisTier, type Lease, type RedisTierOptions } from "./redis-tier.ts";

export interface CacheOptions {
  /** null: a single process. The caller keeps ownership. */
  redis: Redis | null;
  /** Program version. */
  version: string;
  /** Source of the lifetimes; read at each use. */
  settings: () => Settings;
  /** Version of the configuration that this process computes with. */
  configVersion: () => string;
  /** Prefix of all keys; default `sluice:`. */
  prefix?: string;
  log?: Log;
  clock?: Clock;
  /** For tests. */
  timing?: Partial<RedisTierOptions["timing"]>;
  limits?: Partial<MemoryLimits & { redisEntries: number; redisBytes: number }>;
}

/**
 * With other instances: the longest time that this process may return an answer whose invalidation never reached it. Documented as a
 * promise.
 */
const MOST_IN_PROCESS_MS = 60_000;
const PURGE_MS = 60_000;
const TOLD_EVERY_MS = 60_000;
const defaultTiming = { commandMs: 200, lockMs: 2_000, mostWaitMs: 15_000 };
const megabyte = 2 ** 20;
const defaultLimits = {
  ...{ entries: 5_000, bytes: 64 * megabyte, entryBytes: 4 * megabyte },
  ...{ redisEntries: 50_000, redisBytes: 128 * megabyte },
};

/** An answer that is being looked up or computed, shared by all who wait for it here. */
interface Flight {
  readonly tags: readonly CacheTag[];
  /** Set by an invalidation: the answer is only for those who asked before it. */
  stale: boolean;
  answer: Promise<Cached<unknown>>;
}

export function createCache(options: CacheOptions): Cache {
  const { redis, version, settings, configVersion, prefix = "sluice:", log = silentLog, clock = systemClock } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const memory = createMemoryTier(limits, () => clock.monotonic());
  const flights = new Map<string, Flight>();
  const figures = new Map(cacheKindNames.map((kind) => [kind, noFigures()]));
  /** The newest configuration version announced by an invalidation: answers computed with an older one are not stored. */
  let announced = 0n;
  let toldAtMs = Number.NEGATIVE_INFINITY;

  const shared =
    redis &&
    createRedisTier({
      ...{ redis, prefix, log, configVersion },
      onInvalidated: drop,
      onReset: resetFigures,
      timing: { ...defaultTiming, ...options.timing },
      limits: { entries: limits.redisEntries, bytes: limits.redisBytes },
    });
  const purging = setInterval(() => memory.purge(), PURGE_MS);
  purging.unref();

  function drop(tags: readonly CacheTag[] | "all", configVersion: string): void {
    if (BigInt(configVersion) > announced) announced = BigInt(configVersion);
    memory.drop(tags);
    for (const [id, flight] of flights) {
      if (tags !== "all" && !flight.tags.some((tag) => tags.includes(tag))) continue;
      flight.stale = true;
      // Readers from now on must not join a computation that began before.
      flights.delete(id);
    }
  }

  function resetFigures(): void {
    for (const kind of cacheKindNames) figures.set(kind, noFigures());
  }

  async function read(entry: CacheEntry, compute: () => Promise<unknown>): Promise<Cached<unknown>> {
    if (settings()[cacheSetting(entry.kind)] === 0)
      return counted(entry, { asOf: clock.now(), value: asKept(await compute()), cache: "miss" });
    const away = shared !== null && !shared.isOpen();
    // A process that does not hear invalidations must ask Redis; if Redis is away, memory may be used for its bounded time.
    const kept = !shared || away || shared.hears() ? memory.get(entry.id) : undefined;
    if (kept) return counted(entry, { value: kept.value, asOf: kept.asOf, cache: away ? "bypass" : "hit" });
    const flight = flights.get(entry.id) ?? launch(entry, compute);
    return counted(entry, await flight.answer);
  }

  function counted(entry: CacheEntry, answer: Cached<unknown>): Cached<unknown> {
    const counts = figuresOf(entry);
    if (answer.cache === "hit") counts.hits++;
    else if (answer.cache === "miss") counts.misses++;
    else counts.bypasses++;
    return answer;
  }

  function launch(entry: CacheEntry, compute: () => Promise<unknown>): Flight {
    const flight = { tags: entry.tags, stale: false } as Flight;
    flight.answer = answerOf(flight, entry, compute).finally(() => {
      if (flights.get(entry.id) === flight) flights.delete(entry.id);
    });
    flights.set(entry.id, flight);
    return flight;
  }

  async function answerOf(flight: Flight, entry: CacheEntry, compute: () => Promise<unknown>): Promise<Cached<unknown>> {
    const begun = shared && (await begin(entry));
    if (begun?.kind === "hit") {
      const { value, asOf, text, leftMs } = begun;
      if (!flight.stale) memory.set({ value, asOf, entry, bytes: text.length }, Math.min(leftMs, MOST_IN_PROCESS_MS));
      return { value, asOf, cache: "hit" };
    }
    const end = shared && begun ? shared.hold(entry, begun.lease) : noop;
    try {
      return { ...(await computed(flight, entry, { compute, lease: begun?.lease })), cache: shared && !begun ? "bypass" : "miss" };
    } finally {
      end();
    }
  }

  /** Looks the answer up in Redis; null when Redis cannot be reached. */
  async function begin(
    entry: CacheEntry,
  ): Promise<((Begun & { kind: "hit" }) & { value: unknown }) | (Begun & { kind: "compute" }) | null> {
    if (!shared?.isOpen()) return null;
    try {
      const begun = await shared.begin(entry);
      return begun.kind === "hit" ? { ...begun, value: frozen(valueOfKept(begun.text)) } : begun;
    } catch {
      figuresOf(entry).errors++;
      return null;
    }
  }

  async function computed(
    flight: Flight,
    entry: CacheEntry,
    { compute, lease }: { compute: () => Promise<unknown>; lease: Lease | undefined },
  ): Promise<{ value: unknown; asOf: number }> {
    const [asOf, version] = [clock.now(), configVersion()];
    const text = keptText(await compute());
    // The first reader gets the same form as later ones.
    const value = frozen(valueOfKept(text));
    const ttlMs = lifetimeMs(entry.kind);
    if (flight.stale || BigInt(version) < announced) return { value, asOf };
    memory.set({ value, asOf, entry, bytes: text.length }, shared ? Math.min(ttlMs, MOST_IN_PROCESS_MS) : ttlMs);
    if (shared && lease && text.length <= limits.entryBytes) await store(entry, shared.store(entry, lease, { text, asOf, version, ttlMs }));
    return { value, asOf };
  }

  async function store(entry: CacheEntry, stored: Promise<void>): Promise<void> {
    try {
      await stored;
    } catch (error) {
      const counts = figuresOf(entry);
      counts.errors++;
      counts.writesFailed++;
      if (clock.monotonic() - toldAtMs < TOLD_EVERY_MS) return;
      toldAtMs = clock.monotonic();
      log.warn({ kind: entry.kind, writesFailed: counts.writesFailed, error: String(error) }, "an answer could not be kept in Redis");
    }
  }

  /** Slightly shortened at random, so that answers computed together do not expire together. */
  function lifetimeMs(kind: CacheKind): number {
    const ttlMs = settings()[cacheSetting(kind)] * 1_000;
    return ttlMs - Math.random() * Math.min(1_000, ttlMs / 10);
  }

  const figuresOf = ({ kind }: CacheEntry): CacheFigures => figures.get(kind) ?? noFigures();

  return {
    version,
    read,
    async invalidate(...tags) {
      if (tags.length === 0) return;
      drop(tags, configVersion());
      await shared?.invalidate(tags);
    },
    async invalidateAll() {
      drop("all", configVersion());
      await shared?.invalidate("all");
    },
    async clear(kind) {
      const here = memory.sizes().get(kind)?.entries ?? 0;
      drop([`namespace:${kind}`], configVersion());
      if (!shared) return here;
      await shared.invalidate([`namespace:${kind}`]);
      return shared.clear(kind).catch(() => here);
    },
    takeTurn: async (name, everyMs) => !shared || shared.takeTurn(name, everyMs).catch(() => true),
    async resetFigures() {
      resetFigures();
      await shared?.reset();
    },
    figures: () =>
      Object.fromEntries(
        cacheKindNames.map((kind) => [kind, { ...(figures.get(kind) ?? noFigures()), ...memory.sizes().get(kind) }]),
      ) as Record<CacheKind, CacheFigures>,
    lockConflicts: () => shared?.conflicts() ?? 0,
    close() {
      clearInterval(purging);
      shared?.close();
    },
  };
}

function noFigures(): CacheFigures {
  return { hits: 0, misses: 0, bypasses: 0, errors: 0, writesFailed: 0, entries: 0, bytes: 0 };
}

/** A value in the form in which readers of a cached one get it. */
function asKept(value: unknown): unknown {
  return frozen(valueOfKept(keptText(value)));
}

/** Deeply frozen, because all readers share it. */
function frozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) frozen(each);
  return value;
}

function noop(): void {}
