/**
 * Admission: what a request must be granted before it may go upstream. Limits hold across all instances (Lua on Redis); when
 * Redis is unavailable they hold for this process (the in-process twin keeps its books all the time); and a frozen Redis
 * costs a request next to nothing. It is separate from the gateway so that limits, breakers and stickiness have one contract
 * with two implementations that can be tested against each other.
 *
 * Rates are sliding windows (core/limits/rate-window). Cost is reserved at its maximum and settled to the actual amount; its
 * sums are a cache of the ledger (spend-books). What a request holds outlives the last sign of its process by 30 s. While
 * Redis is unavailable, a single instance stays exact and each of several grants its part of what was left: never unlimited.
 */
import type { BreakerPolicy } from "@sluice/core/breaker/breaker";
import { type Clock, systemClock } from "@sluice/core/clock";
import type { BreakerState, CoolDown } from "@sluice/core/events";
import type { ProviderBreaker } from "@sluice/core/inputs/provider-options";
import type { Settings } from "@sluice/core/inputs/settings";
import { type Log, silentLog } from "@sluice/core/log";
import { followChannel } from "@sluice/db/follow-channel";
import { createRedisGate } from "@sluice/db/redis-gate";
import type { Redis } from "ioredis";
import type { Admission } from "./admission.ts";
import { createBreakers } from "./breakers.ts";
import { createCoolDowns } from "./cool-downs.ts";
import { createLimits } from "./limits.ts";
import { createProviderLoads } from "./provider-loads.ts";
import { type BreakerMessage, breakersChannel } from "./shared-breakers.ts";
import type { SpendReader } from "./spend-reader.ts";
import { createSticky } from "./sticky.ts";

export interface AdmissionOptions {
  /** null = a single process: only the twin. Owned by the caller; the subscription uses its own connection. */
  redis: Redis | null;
  /** Read on each use, so that a change takes effect at once. */
  settings: () => Settings;
  /** A provider's own breaker options, read as often; the settings apply to the rest. Default: no provider has any. */
  breakerOf?: (providerId: string) => ProviderBreaker | undefined;
  /** Called only on the instance whose request opened, probed or closed a breaker. */
  onTransition: (breaker: BreakerState) => void;
  /** Called when a request of this instance had its credential refused, to inform the others. Default: no others. */
  onCooled?: (coolDown: CoolDown) => void;
  instanceId: string;
  clock?: Clock;
  log?: Log;
  /** Reads what was spent from the ledger; null = nothing was. */
  spend?: SpendReader | null;
  /** How many processes share the limits, including this one. Default 1. */
  instances?: () => number;
  /** For tests. */
  timing?: Partial<AdmissionTiming>;
  /** For tests: replaces Redis' clock. */
  testNow?: () => number;
}

interface AdmissionTiming {
  /** How long a lease outlives its process. */
  leaseMs: number;
  /** How long a probe may go without a verdict. */
  probeMs: number;
  /** Interval between two reads of all shared breakers. */
  refreshMs: number;
  /** Interval between two reconciliations with the ledger, by whichever instance comes first. */
  rebuildMs: number;
  /** Timeout of Redis commands. */
  commandMs: number;
}

const defaultTiming: AdmissionTiming = { leaseMs: 30_000, probeMs: 30_000, refreshMs: 5_000, rebuildMs: 60_000, commandMs: 200 };

/** Admission over Redis with its local twin, or the twin alone. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { redis, settings, onTransition, instanceId, clock = systemClock, log = silentLog } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const gate =
    redis &&
    createRedisGate({
      redis,
      log,
      meanwhile: "limits, breakers and sessions are kept by this process alone",
      timeoutMs: timing.commandMs,
      onRecover: () => recover(),
    });
  const { instances = () => 1, spend = null, testNow } = options;
  const keeper = createLimits({ gate, clock, settings, leaseMs: timing.leaseMs, instances, spend, log, testNow });
  const rebuild = (): void => {
    keeper.rebuild(instanceId).catch((error: unknown) => {
      log.warn({ error: String(error) }, "sums of cost could not be brought in line with the ledger");
    });
  };
  const policy = (providerId: string): BreakerPolicy => {
    const own = options.breakerOf?.(providerId);
    return {
      failures: own?.failures ?? settings()["breaker.failures"],
      openMs: (own?.openSeconds ?? settings()["breaker.openSeconds"]) * 1000,
      probeMs: timing.probeMs,
      probes: own?.probes ?? settings()["breaker.probes"],
    };
  };
  const ratePercent = (providerId: string): number =>
    options.breakerOf?.(providerId)?.failureRatePercent ?? settings()["breaker.failureRatePercent"];
  const breakers = createBreakers({ gate, clock, policy, ratePercent, onTransition, instanceId, commandMs: timing.commandMs, testNow });
  const sticky = createSticky({ gate, clock, ttlSeconds: () => settings()["routing.stickySeconds"] });
  const loads = createProviderLoads(clock);
  const unfollow = redis
    ? followChannel(redis, breakersChannel, {
        onMessage: (text) => breakers.receive(JSON.parse(text) as BreakerMessage),
        onSubscribed: () => void breakers.refresh(),
      })
    : null;

  const recover = (): void => {
    keeper.renew();
    rebuild();
    void breakers.refresh();
  };
  const tickers = [
    setInterval(() => keeper.renew(), timing.leaseMs / 3),
    setInterval(rebuild, timing.rebuildMs),
    setInterval(() => void breakers.refresh(), timing.refreshMs),
    setInterval(() => {
      keeper.sweep();
      sticky.sweep();
      loads.sweep();
    }, 10 * 60_000),
  ];
  for (const ticker of tickers) ticker.unref();

  return {
    ...keeper.limits,
    breakers,
    coolDowns: createCoolDowns(clock, (coolDown) => options.onCooled?.(coolDown)),
    sticky,
    loads,
    async close() {
      for (const ticker of tickers) clearInterval(ticker);
      await keeper.close();
      gate?.close();
      unfollow?.();
    },
  };
}
