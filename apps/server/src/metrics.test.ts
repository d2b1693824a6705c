import { cached } from "@sluice/cache/cached";
import { createCache } from "@sluice/cache/create-cache";
import { defaultSettings } from "@sluice/core/inputs/settings";
import type { LedgerStats } from "@sluice/ledger/records";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { createMeters } from "./meters.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

const cache = createCache({ redis: null, version: "1", settings: defaultSettings, configVersion: () => "1" });
afterAll(() => cache.close());

const stats: LedgerStats = {
  ...{ depth: 0, oldestAgeMs: 0, flushes: 0, rows: 0, failures: 0, lastFailure: null, recovered: 0, quarantined: 0, droppedRefusals: 0 },
  writable: true,
};

function metricsOf(): Metrics {
  return createMetrics({
    version: "1",
    meters: createMeters(),
    pool: new pg.Pool(),
    gatewayStats: () => null,
    ledgerStats: () => stats,
    creditStats: () => ({ users: 0, openNanoUsd: 0, rebuilds: 0, others: 0, driftNanoUsd: 0 }),
    liveSubscriptions: () => 0,
    limitDriftNanoUsd: () => 0,
    cacheFigures: () => cache.figures(),
    stickyStats: () => ({ size: 0, max: 10_000, hits: 0, misses: 0, evicted: 0, expired: 0 }),
    spanStats: () => null,
    lockConflicts: () => 0,
    eventsPublished: () => 0,
    framesSent: () => 0,
    stores: async () => ({ atMs: 0, postgres: null, redis: null }),
  });
}

it("the spool's state is told: 1 while it can be written, 0 while it cannot", async () => {
  const metrics = metricsOf();
  expect(await metrics.text()).toContain("\nsluice_ledger_writable 1\n");
  stats.writable = false;
  expect(await metrics.text()).toContain("\nsluice_ledger_writable 0\n");
});

describe("P14", () => {
  it("the caches are told by namespace: reads, what is kept, and the share of hits", async () => {
    const metrics = metricsOf();
    expect(await metrics.text()).not.toContain("cache_hit_rate{");
    const scope = { tenantId: "default", role: "admin", userId: null, keyId: null } as const;
    for (const input of [1, 1, 1, 2]) await cached({ cache }, "stats:test", { scope, input }, async () => "value");
    const text = await metrics.text();
    expect(text).toContain('sluice_cache_hits_total{namespace="stats"} 2');
    expect(text).toContain('sluice_cache_misses_total{namespace="stats"} 2');
    expect(text).toContain('sluice_cache_entries{namespace="stats"} 2');
    expect(text).toMatch(/sluice_cache_bytes\{namespace="stats"\} [1-9]/);
    expect(text).toContain('cache_hit_rate{namespace="stats"} 0.5');
    await cache.resetFigures();
    expect(await metrics.text()).toContain('sluice_cache_hits_total{namespace="stats"} 0');
  });
});
