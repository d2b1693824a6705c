import { hash } from "node:crypto";
import { ChurningMap } from "@sluice/core/churning-map";
import type { Clock } from "@sluice/core/clock";
import { NanoUsdSum } from "@sluice/core/money";
import type { RequestRow } from "@sluice/core/requests";
import { sharedReading } from "@sluice/core/shared-reading";
import type { Sessions } from "./contract.ts";
import type { LiveBus } from "./live-bus.ts";
import type { Presence } from "./presence.ts";
import type { RedisLink } from "./redis-link.ts";
import { createRedisSessionStore } from "./redis-session-store.ts";
import { createMemorySessionStore, MAX_SESSIONS, type SessionChange } from "./session-store.ts";

/** Changes of a session are combined for this long; the counters in flight should still move quickly. */
const FLUSH_MS = 200;
const RETRY_MS = 500;
/** Expiries close together are swept together. */
const MIN_SWEEP_MS = 100;
/** With too many sessions, which may all be in flight. */
const CROWDED_MS = 1_000;

export interface SessionsOptions {
  bus: LiveBus;
  clock: Clock;
  /** Setting `sessions.activeWindowSeconds`, read on each use. */
  windowSeconds: () => number;
  /** Null: a single process, memory only. */
  redis: { link: RedisLink; presence: Presence } | null;
}

interface Change extends Omit<SessionChange, "costNanoUsd"> {
  cost: NanoUsdSum;
}

const storedOf = ({ cost, ...rest }: Change): SessionChange => ({ ...rest, costNanoUsd: cost.toString() });

type Identity = Pick<SessionChange, "id" | "userId" | "keyId" | "providerId" | "model" | "client" | "chosenBy">;

/**
 * Conversations with recent activity. A session lives until its window has passed with nothing in flight. The instance that
 * removes it from the store announces it, so `session.ended` is sent once. Requests in flight on a killed instance count until
 * its heartbeat expires (10 s). Input tokens include cache reads and writes: everything the client sent. One timer sweeps at
 * the next expiry; none runs while there are no sessions.
 */
export function createSessions({ bus, clock, windowSeconds, redis }: SessionsOptions): Sessions {
  const store = redis ? createRedisSessionStore(redis.link, redis.presence) : createMemorySessionStore();
  /** Requests in flight here. */
  const local = new ChurningMap<string, { count: number; identity: Identity }>();
  /** Sessions that are in flight here as far as the store may know: it has to learn of their end. */
  const told = new ChurningMap<string, true>();
  let changes = new Map<string, Change>();
  let underway: { changes: SessionChange[]; number: number } | null = null;
  let batches = 0;
  let flushing: Promise<void> | null = null;
  let flushTimer: NodeJS.Timeout | null = null;
  let sweepTimer: NodeJS.Timeout | null = null;
  let sweepDueMs = 0;
  let closed = false;

  redis?.link.onReady(() => {
    resend();
    void sweep();
  });
  redis?.presence.onForgotten(resend);
  redis?.presence.onReturned(resend);
  const sweep = sharedReading(sweepNow);
  /** Every turn of a conversation asks for its id. Bounded: when full it is cleared. */
  let ids = new Map<string, string>();

  function idOf(keyId: string, clientSessionId: string): string {
    const name = `${keyId}\0${clientSessionId}`;
    let id = ids.get(name);
    if (id === undefined) {
      id = hash("sha256", name, "base64url").slice(0, 22);
      if (ids.size >= MAX_SESSIONS) ids = new Map();
      ids.set(name, id);
    }
    return id;
  }

  function change(identity: Identity): Change {
    const held = changes.get(identity.id);
    const next: Change = held ?? {
      ...identity,
      atMs: 0,
      requests: 0,
      inputTokens: 0,
      cacheTokens: 0,
      outputTokens: 0,
      cost: new NanoUsdSum(),
      inFlight: 0,
    };
    next.atMs = clock.now();
    next.inFlight = local.get(identity.id)?.count ?? 0;
    if (held) {
      held.providerId = identity.providerId || held.providerId;
      held.model = identity.model || held.model;
      held.client = identity.client || held.client;
      held.chosenBy = identity.chosenBy || held.chosenBy;
    } else {
      changes.set(identity.id, next);
    }
    if (changes.size > MAX_SESSIONS) dropOldest();
    arm(FLUSH_MS);
    return next;
  }

  function dropOldest(): void {
    for (const id of changes.keys()) {
      if (told.has(id)) continue;
      changes.delete(id);
      return;
    }
  }

  function arm(ms: number): void {
    if (!closed) flushTimer ??= setTimeout(() => void flush(), ms);
  }

  /** Redis lost its data, or this instance was taken for dead: reports again what is in flight here. */
  function resend(): void {
    for (const { identity } of local.values()) change(identity);
    if (underway) arm(0);
  }

  function flush(): Promise<void> {
    if (flushTimer) clearTimeout(flushTimer);
    flushTimer = null;
    flushing ??= send().finally(() => {
      flushing = null;
      if (underway) arm(RETRY_MS);
      else if (changes.size > 0) arm(FLUSH_MS);
    });
    return flushing;
  }

  async function send(): Promise<void> {
    if (!underway) {
      if (changes.size === 0) return;
      underway = { changes: Array.from(changes.values(), storedOf), number: ++batches };
      changes = new Map();
      for (const { id, inFlight } of underway.changes) if (inFlight > 0) told.set(id, true);
    }
    try {
      const { results, tooMany } = await store.apply(underway.changes, underway.number);
      for (const { id, inFlight } of underway.changes) if (inFlight === 0) told.delete(id);
      underway = null;
      for (const { row, created } of results) bus.publish({ type: created ? "session.started" : "session.updated", row });
      if (results.some(({ due }) => due)) void sweep();
      else if (tooMany) sweepIn(CROWDED_MS);
      else scheduleSweep(clock.now());
    } catch {
      // Sent again unchanged, so that nothing is counted twice.
    }
  }

  /** Schedules a sweep at the expiry of the session idle for longest; an earlier one stays scheduled. */
  function scheduleSweep(oldestMs: number): void {
    sweepIn(Math.max(MIN_SWEEP_MS, oldestMs + windowSeconds() * 1_000 - clock.now()));
  }

  function sweepIn(ms: number): void {
    const dueMs = clock.now() + ms;
    if (closed || (sweepTimer && sweepDueMs <= dueMs)) return;
    if (sweepTimer) clearTimeout(sweepTimer);
    sweepDueMs = dueMs;
    sweepTimer = setTimeout(() => void sweep(), ms);
  }

  async function sweepNow(): Promise<void> {
    if (sweepTimer) clearTimeout(sweepTimer);
    sweepTimer = null;
    if (closed) return;
    try {
      const nowMs = clock.now();
      const { ended, oldestMs } = await store.sweep(nowMs - windowSeconds() * 1_000, nowMs);
      for (const row of ended) bus.publish({ type: "session.ended", row });
      if (oldestMs !== null) scheduleSweep(oldestMs);
    } catch {
      // Disconnected: the next connection sweeps. Only refused: retries soon.
      if (redis?.link.ready()) sweepIn(RETRY_MS);
    }
  }

  return {
    idOf,

    began({ id, userId, keyId, providerId, model, client, chosenBy = "" }) {
      const identity = { id, userId, keyId, providerId, model, client, chosenBy };
      local.set(id, { count: (local.get(id)?.count ?? 0) + 1, identity });
      redis?.presence.hold("sessions");
      change(identity).requests += 1;
    },

    ended(row) {
      if (row.sessionId === "") return;
      const held = local.get(row.sessionId);
      if (held && held.count > 1) held.count -= 1;
      else local.delete(row.sessionId);
      if (local.size === 0) redis?.presence.release("sessions");
      const next = change(identityOf(row));
      const cached = row.usage.cacheRead + row.usage.cacheWrite5m + row.usage.cacheWrite1h;
      next.cacheTokens += cached;
      next.inputTokens += row.usage.input + cached;
      next.outputTokens += row.usage.output;
      next.cost.add(row.costNanoUsd ?? "0");
    },

    async list() {
      try {
        const rows = await store.list(clock.now() - windowSeconds() * 1_000);
        // A process that lists sessions also sweeps them: the gateway that created them may be gone.
        const oldestMs = rows.at(-1)?.lastActivityAtMs;
        if (oldestMs !== undefined) scheduleSweep(oldestMs);
        return rows;
      } catch {
        return [];
      }
    },

    async countByUser() {
      const rows = await store.list(clock.now() - windowSeconds() * 1_000).catch(() => null);
      if (!rows) return null;
      const counts = new Map<string, number>();
      for (const { userId } of rows) counts.set(userId, (counts.get(userId) ?? 0) + 1);
      return counts;
    },

    async find(id) {
      const row = await store.find(id).catch(() => null);
      if (!row) return null;
      return row.inFlight > 0 || row.lastActivityAtMs > clock.now() - windowSeconds() * 1_000 ? row : null;
    },

    async terminate(id) {
      await store.terminate(id).catch(() => undefined);
      await sweep();
    },

    async bury(lives) {
      for (const row of await store.bury(lives)) bus.publish({ type: "session.updated", row });
      await sweep();
    },

    windowChanged: () => void sweep(),

    async close() {
      // A flush in progress began without the newest changes.
      if (flushing) await flushing;
      await flush();
      closed = true;
      if (flushTimer) clearTimeout(flushTimer);
      if (sweepTimer) clearTimeout(sweepTimer);
      redis?.presence.release("sessions");
    },
  };
}

function identityOf(row: RequestRow): Identity {
  return {
    id: row.sessionId,
    userId: row.userId,
    keyId: row.keyId,
    providerId: row.providerId,
    model: row.model,
    client: row.client,
    chosenBy: "",
  };
}
