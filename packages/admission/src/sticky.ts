import type { Clock } from "@sluice/core/clock";
import type { RedisGate } from "@sluice/db/redis-gate";
import { LRUCache } from "lru-cache";
import type { Sticky } from "./admission.ts";

const stickyKey = (sessionId: string): string => `sluice:sticky:${sessionId}`;
const MAX_SESSIONS = 10_000;
/** When the map is full, this many are evicted at once, each in O(1), so that not every new session has to evict. */
const EVICTED_AT_ONCE = MAX_SESSIONS / 10;

interface Binding {
  providerId: string;
  /** Monotonic ms of the last write to Redis. */
  sharedAtMs: number;
}

export interface StickyOptions {
  /** null = a single process. */
  gate: RedisGate | null;
  clock: Clock;
  /** Lifetime after the last use, s; 0 turns stickiness off. */
  ttlSeconds: () => number;
}

/**
 * Looked up in process; shared through Redis by writes that nobody awaits and by a read on a local miss only. Bounded: when full, the
 * least recently used tenth is evicted. No timer per session: expired entries are never returned, and swept occasionally.
 */
export function createSticky({ gate, clock, ttlSeconds }: StickyOptions): Sticky & { sweep(): void } {
  const counts = { hits: 0, misses: 0, evicted: 0, expired: 0 };
  const bindings = new LRUCache<string, Binding>({
    max: MAX_SESSIONS,
    dispose: (_binding, _sessionId, reason) => {
      if (reason === "expire") counts.expired += 1;
    },
    // +1: the cache takes a start of 0 for "no ttl", and a fake clock may return 0.
    perf: { now: () => clock.monotonic() + 1 },
    ttlResolution: 0,
    updateAgeOnGet: true,
  });

  function keep(sessionId: string, binding: Binding, ttlMs: number): void {
    if (bindings.size >= MAX_SESSIONS && !bindings.has(sessionId)) {
      for (let n = 0; n < EVICTED_AT_ONCE; n++) bindings.pop();
      counts.evicted += EVICTED_AT_ONCE;
    }
    bindings.set(sessionId, binding, { ttl: ttlMs });
  }

  /** Reads in flight. One is outdated, and no longer here, when the session is bound or unbound in the meantime. */
  const reads = new Map<string, Promise<string | null>>();

  function findShared(sessionId: string, shared: RedisGate, ttlMs: number): Promise<string | null> {
    const running = reads.get(sessionId);
    if (running) return running;
    const read: Promise<string | null> = shared
      .run((redis) => redis.get(stickyKey(sessionId)))
      .then(
        (providerId) => {
          if (reads.get(sessionId) !== read) return bindings.peek(sessionId)?.providerId ?? null;
          // Reading does not extend the lifetime in Redis: the session's next binding does.
          if (providerId) keep(sessionId, { providerId, sharedAtMs: Number.NEGATIVE_INFINITY }, ttlMs);
          return providerId;
        },
        () => bindings.peek(sessionId)?.providerId ?? null,
      )
      .finally(() => {
        if (reads.get(sessionId) === read) reads.delete(sessionId);
      });
    reads.set(sessionId, read);
    return read;
  }

  /** Nobody waits for it. When it fails, the session's next binding is written. */
  function writeShared(sessionId: string, binding: Binding, shared: RedisGate, ttlMs: number): void {
    shared
      .run((redis) => redis.set(stickyKey(sessionId), binding.providerId, "PX", ttlMs))
      .catch(() => {
        binding.sharedAtMs = Number.NEGATIVE_INFINITY;
      });
  }

  return {
    find(sessionId) {
      const ttlMs = ttlSeconds() * 1000;
      if (ttlMs === 0) return null;
      const binding = bindings.get(sessionId);
      if (binding) counts.hits += 1;
      else counts.misses += 1;
      if (binding) return binding.providerId;
      return gate?.isOpen() ? findShared(sessionId, gate, ttlMs) : null;
    },
    async peek(sessionId) {
      if (ttlSeconds() === 0) return null;
      const binding = bindings.peek(sessionId);
      if (binding || !gate?.isOpen()) return binding?.providerId ?? null;
      return gate.run((redis) => redis.get(stickyKey(sessionId))).catch(() => null);
    },
    bind(sessionId, providerId) {
      const ttlMs = ttlSeconds() * 1000;
      if (ttlMs === 0) return;
      const before = bindings.peek(sessionId);
      const nowMs = clock.monotonic();
      // Extending the lifetime in Redis with every request would double its traffic; after a quarter of the lifetime is soon enough.
      const isShared = before?.providerId === providerId && nowMs - before.sharedAtMs < ttlMs / 4;
      const binding = isShared ? before : { providerId, sharedAtMs: nowMs };
      reads.delete(sessionId);
      keep(sessionId, binding, ttlMs);
      if (gate && !isShared) writeShared(sessionId, binding, gate, ttlMs);
    },
    unbind(sessionId) {
      bindings.delete(sessionId);
      reads.delete(sessionId);
      gate?.send((redis) => redis.del(stickyKey(sessionId)));
    },
    stats: () => ({ size: bindings.size, max: MAX_SESSIONS, ...counts }),
    sweep: () => void bindings.purgeStale(),
  };
}
