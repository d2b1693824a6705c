import type { LedgerStats } from "@sluice/ledger/records";
import pg from "pg";
import { expect, it } from "vitest";
import { createMeters } from "./meters.ts";
import { createMetrics } from "./metrics.ts";

it("the spool's state is told: 1 while it can be written, 0 while it cannot", async () => {
  const stats: LedgerStats = {
    ...{ depth: 0, oldestAgeMs: 0, flushes: 0, rows: 0, failures: 0, lastFailure: null, recovered: 0, quarantined: 0, droppedRefusals: 0 },
    writable: true,
  };
  const metrics = createMetrics({
    version: "1",
    meters: createMeters(),
    pool: new pg.Pool(),
    gatewayStats: () => null,
    ledgerStats: () => stats,
    creditStats: () => ({ users: 0, openNanoUsd: 0, rebuilds: 0, others: 0, driftNanoUsd: 0 }),
    liveSubscriptions: () => 0,
    limitDriftNanoUsd: () => 0,
    stickyStats: () => ({ size: 0, max: 10_000, hits: 0, misses: 0, evicted: 0, expired: 0 }),
    spanStats: () => null,
    lockConflicts: () => 0,
    eventsPublished: () => 0,
    framesSent: () => 0,
    stores: async () => ({ atMs: 0, postgres: null, redis: null }),
  });
  expect(await metrics.text()).toContain("\nsluice_ledger_writable 1\n");
  stats.writable = false;
  expect(await metrics.text()).toContain("\nsluice_ledger_writable 0\n");
});
