/**
 * Admission: what a request must be granted before it may go upstream. It promises that a key's limits hold over all
 * instances together (Lua on Redis), that they hold for this process when Redis is away (the twin in process, which
 * keeps the books all along), and that a frozen Redis costs a request next to nothing. It is apart from the gateway so
 * that limits, breakers and stickiness have one contract with two keepers and can be tested as such.
 *
 * Requests per minute are a sliding window (core/limits/rate-window). A lease lives 30 s beyond the last sign of its
 * process. While Redis is away each instance grants the key's full limit: never more than limit × instances, never
 * unlimited.
 */
import type { BreakerPolicy } from "@sluice/core/breaker/breaker";
import { type Clock, systemClock } from "@sluice/core/clock";
import type { BreakerState } from "@sluice/core/events";
import type { Settings } from "@sluice/core/inputs/settings";
import { effectiveCount } from "@sluice/core/limits/effective-count";
import { type Log, silentLog } from "@sluice/core/log";
import { followChannel } from "@sluice/db/follow-channel";
import type { Redis } from "ioredis";
import type { Admission, KeyLimits, Refusal } from "./admission.ts";
import { createBreakers } from "./breakers.ts";
import { type AppliedLimits, createLocalLimits, type LocalLimits } from "./local-limits.ts";
import { createRedisGate, type RedisGate } from "./redis-gate.ts";
import { type BreakerMessage, breakersChannel, defineBreakerCommands } from "./shared-breakers.ts";
import { admitShared, defineLimitCommands, releaseShared, renewShared, usageShared } from "./shared-limits.ts";
import { createSticky } from "./sticky.ts";

export interface AdmissionOptions {
  /** null = one process: the twin alone. Stays the caller's; the subscription uses a connection of its own. */
  redis: Redis | null;
  /** Read at every use, so that a change is in force at once. */
  settings: () => Settings;
  /** Called on the one instance whose request opened, probed or closed a breaker. */
  onTransition: (breaker: BreakerState) => void;
  instanceId: string;
  clock?: Clock;
  log?: Log;
  /** For tests. */
  timing?: Partial<AdmissionTiming>;
}

interface AdmissionTiming {
  /** How long a lease outlives its process. */
  leaseMs: number;
  /** How long a probe may stay without a verdict. */
  probeMs: number;
  /** Between two readings of all shared breakers. */
  refreshMs: number;
}

const defaultTiming: AdmissionTiming = { leaseMs: 30_000, probeMs: 30_000, refreshMs: 5_000 };
const RENEW_BATCH = 500;
/** Releases that Redis has not heard of; beyond it the lease's own expiry does it. */
const MAX_UNRELEASED = 10_000;

/** Admission over Redis with its local twin, or the twin alone. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { redis, settings, onTransition, instanceId, clock = systemClock, log = silentLog } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const local = createLocalLimits();
  const gate = redis && createRedisGate({ redis, log, onRecover: () => recover() });
  const leases = gate && createLeases(gate, local, timing.leaseMs);
  if (redis) {
    defineLimitCommands(redis);
    defineBreakerCommands(redis);
  }
  const policy = (): BreakerPolicy => ({
    failures: settings()["breaker.failures"],
    openMs: settings()["breaker.openSeconds"] * 1000,
    probeMs: timing.probeMs,
  });
  const breakers = createBreakers({ gate, clock, policy, onTransition, instanceId });
  const sticky = createSticky({ gate, clock, ttlSeconds: () => settings()["routing.stickySeconds"] });
  const unfollow = redis
    ? followChannel(redis, breakersChannel, {
        onMessage: (text) => breakers.receive(JSON.parse(text) as BreakerMessage),
        onSubscribed: () => void breakers.refresh(),
      })
    : null;

  const recover = (): void => {
    leases?.renew();
    void breakers.refresh();
  };
  const tickers = [
    setInterval(() => leases?.renew(), timing.leaseMs / 3),
    setInterval(() => void breakers.refresh(), timing.refreshMs),
    setInterval(() => {
      local.sweep(clock.now());
      sticky.sweep();
    }, 10 * 60_000),
  ];
  for (const ticker of tickers) ticker.unref();

  return {
    admit(requestId, limits) {
      const applied = appliedLimits(limits);
      if (!applied) return null;
      const refusal = local.take(requestId, applied, clock.now());
      return !refusal && leases && gate?.isOpen() ? leases.admit(requestId, applied) : Promise.resolve(refusal);
    },
    release(requestId) {
      const holding = local.release(requestId);
      if (holding) leases?.release(requestId, holding.keyId);
    },
    async usage(keyId) {
      const own = () => local.usage(keyId, clock.now());
      return gate?.isOpen() ? gate.run((redis) => usageShared(redis, keyId)).catch(own) : own();
    },
    breakers,
    sticky,
    async close() {
      for (const ticker of tickers) clearInterval(ticker);
      await leases?.releaseAll();
      gate?.close();
      unfollow?.();
    },
  };
}

/** null = the key has no limits. */
function appliedLimits(limits: KeyLimits): AppliedLimits | null {
  const rpm = effectiveCount(limits.rpm);
  const inFlight = effectiveCount(limits.inFlight);
  return rpm === null && inFlight === null ? null : { keyId: limits.keyId, rpm, inFlight };
}

/** The shared half of admitting: what the local twin has granted already is asked of Redis, kept alive there and ended. */
function createLeases(gate: RedisGate, local: LocalLimits, leaseMs: number) {
  const unreleased = new Map<string, string>();

  const release = (requestId: string, keyId: string): void => {
    gate
      .run((redis) => releaseShared(redis, requestId, keyId))
      .catch(() => {
        if (unreleased.size < MAX_UNRELEASED) unreleased.set(requestId, keyId);
      });
  };

  return {
    release,
    async admit(requestId: string, limits: AppliedLimits): Promise<Refusal | null> {
      try {
        const refusal = await gate.run((redis) => admitShared(redis, requestId, limits, leaseMs));
        if (refusal) local.undo(requestId);
        return refusal;
      } catch {
        // The twin has admitted it. Should Redis carry out the command late, the lease is renewed or released like any.
        return null;
      }
    },
    /** Prolongs what is held; then ends what could not be ended before. */
    renew(): void {
      const batch: [string, string][] = [];
      const flush = (): void => {
        const sent = batch.splice(0);
        if (sent.length > 0) gate.send((redis) => renewShared(redis, sent, leaseMs));
      };
      for (const lease of local.leases()) {
        if (batch.push(lease) >= RENEW_BATCH) flush();
      }
      flush();
      if (!gate.isOpen()) return;
      const ended = [...unreleased];
      unreleased.clear();
      for (const [requestId, keyId] of ended) release(requestId, keyId);
    },
    /** What a stopping process still holds; bounded by the gate's time limit. */
    async releaseAll(): Promise<void> {
      const ended = [...local.leases()].map(([requestId, keyId]) => gate.run((redis) => releaseShared(redis, requestId, keyId)));
      await Promise.allSettled(ended);
    },
  };
}
