/**
 * Admission: what a request must be granted before it may go upstream. It promises that limits hold over all instances
 * together (Lua on Redis), that they hold for this process when Redis is away (the twin in process, which keeps the books
 * all along), and that a frozen Redis costs a request next to nothing. It is apart from the gateway so that limits,
 * breakers and stickiness have one contract with two keepers and can be tested as such.
 *
 * Rates are sliding windows (core/limits/rate-window). Cost is reserved at its worst case and settled to what it was; its
 * sums are a cache of the ledger (spend-books). What a request holds lives 30 s beyond the last sign of its process. While
 * Redis is away one instance stays exact, and each of several gives out its part of what was left: never unlimited.
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
  /** null = one process: the twin alone. Stays the caller's; the subscription uses a connection of its own. */
  redis: Redis | null;
  /** Read at every use, so that a change is in force at once. */
  settings: () => Settings;
  /** What a provider says of its own breakers, read as often; the settings hold for the rest. Default: none says anything. */
  breakerOf?: (providerId: string) => ProviderBreaker | undefined;
  /** Called on the one instance whose request opened, probed or closed a breaker. */
  onTransition: (breaker: BreakerState) => void;
  /** A credential was refused by this instance's request: the others are to be told. Default: there are none. */
  onCooled?: (coolDown: CoolDown) => void;
  instanceId: string;
  clock?: Clock;
  log?: Log;
  /** What the ledger says was spent; null = nothing was. */
  spend?: SpendReader | null;
  /** How many processes share the limits, this one included. Default 1. */
  instances?: () => number;
  /** For tests. */
  timing?: Partial<AdmissionTiming>;
  /** For tests: stands in for Redis' clock. */
  testNow?: () => number;
}

interface AdmissionTiming {
  /** How long a lease outlives its process. */
  leaseMs: number;
  /** How long a probe may stay without a verdict. */
  probeMs: number;
  /** Between two readings of all shared breakers. */
  refreshMs: number;
  /** Between two looks at the ledger by whichever instance comes first. */
  rebuildMs: number;
  /** How long Redis may take to answer. */
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
  const breakers = createBreakers({ gate, clock, policy, ratePercent, onTransition, instanceId });
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
