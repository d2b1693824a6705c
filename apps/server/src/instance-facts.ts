import { hostname } from "node:os";
import type { StickyStats } from "@sluice/admission/admission";
import type { Cache } from "@sluice/cache/cache";
import { type CacheKind, cacheKindNames } from "@sluice/core/cache-kinds";
import type { BoundSessions, SettlerState } from "@sluice/core/events";
import type { Settings } from "@sluice/core/inputs/settings";
import type { Gateway } from "@sluice/gateway/gateway";
import type { Ledger, LedgerStats } from "@sluice/ledger/records";
import type { InstanceFacts } from "@sluice/live/contract";
import type { WatchedConfig } from "./watched-config.ts";

export interface FactSources {
  roles: ReadonlySet<string>;
  version: string;
  gateway: () => Gateway | null;
  ledger: () => Ledger | null;
  config: WatchedConfig | null;
  settings: () => Settings;
  sticky: () => StickyStats;
  caches: Cache["figures"];
  calls: () => { count: number; sketch: string };
}

/** What this process reports about itself for administrators: counters in memory, without any query. */
export function createInstanceFacts({
  roles,
  version,
  gateway,
  ledger,
  config,
  settings,
  sticky,
  caches,
  calls,
}: FactSources): () => InstanceFacts {
  const fixed = {
    roles: [...roles].sort(),
    version,
    runtime: process.version,
    host: hostname(),
    pid: process.pid,
    startedAtMs: Math.round(Date.now() - process.uptime() * 1_000),
  };
  return () => {
    const traffic = gateway()?.stats();
    const spool = ledger()?.stats();
    return {
      ...fixed,
      memoryBytes: process.memoryUsage.rss(),
      gateway: traffic
        ? { inFlight: traffic.inFlight, requests: traffic.requests, draining: traffic.draining, sessions: boundSessions(sticky()) }
        : null,
      spool: spool
        ? {
            ...{ depth: spool.depth, oldestAgeMs: spool.oldestAgeMs, quarantined: spool.quarantined, writable: spool.writable },
            settler: settlerState(spool, settings()),
          }
        : null,
      config: config?.state() ?? null,
      caches: usedCaches(caches()),
      ...(roles.has("api") && { calls: calls() }),
    };
  };
}

function boundSessions({ size, max, hits, misses }: StickyStats): BoundSessions {
  return { size, max, hits, misses };
}

/** Only caches that were read or hold entries. */
function usedCaches(figures: ReturnType<Cache["figures"]>): InstanceFacts["caches"] {
  const used = (kind: CacheKind): boolean => Object.values(figures[kind]).some((value) => value > 0);
  return Object.fromEntries(cacheKindNames.filter(used).map((kind) => [kind, figures[kind]]));
}

function settlerState({ flushes, rows, failures, lastFailure, recovered }: LedgerStats, settings: Settings): SettlerState {
  return {
    ...{ flushes, rows, failures, lastFailure, recovered },
    mode: settings["ledger.mode"],
    durability: settings["ledger.durability"],
    batchSize: settings["ledger.batchSize"],
    intervalMs: settings["ledger.intervalMs"],
  };
}
