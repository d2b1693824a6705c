import { performance } from "node:perf_hooks";
import type { ProcessFigures } from "@sluice/core/figures";
import type { GatewayStats } from "@sluice/gateway/context";
import type { LedgerStats } from "@sluice/ledger/records";
import type { Pool } from "pg";
import type { Meters } from "./meters.ts";

/** What a process counts, for the page of figures and for /metrics. */
export interface ProcessCounts {
  meters: Meters;
  pool: Pool;
  gatewayStats: () => GatewayStats | null;
  ledgerStats: () => LedgerStats | null;
  lockConflicts: () => number;
  eventsPublished: () => number;
  framesSent: () => number;
}

interface ProcessSources extends ProcessCounts {
  instanceId: string;
}

/** Shares over less than a second are imprecise: a second call within it gets the previous answer. */
const AGAIN_MS = 1_000;

/** What this process reports to the page of figures: memory and counters, without any query. */
export function createProcessFigures(sources: ProcessSources): () => ProcessFigures {
  let shares = {
    atMs: Number.NEGATIVE_INFINITY,
    cpu: process.cpuUsage(),
    loop: performance.eventLoopUtilization(),
    cpuShare: 0,
    loopShare: 0,
  };

  function measureShares(): typeof shares {
    const atMs = performance.now();
    const elapsedMs = Math.min(atMs - shares.atMs, process.uptime() * 1_000);
    if (elapsedMs < AGAIN_MS) return shares;
    const used = process.cpuUsage(shares.cpu);
    const loopShare = performance.eventLoopUtilization(shares.loop).utilization;
    const cpuShare = (used.user + used.system) / 1_000 / elapsedMs;
    shares = { atMs, cpu: process.cpuUsage(), loop: performance.eventLoopUtilization(), cpuShare, loopShare };
    return shares;
  }

  return () => {
    const { meters, pool } = sources;
    const { cpuShare, loopShare } = measureShares();
    const { rss, heapUsed } = process.memoryUsage();
    const { queries: queryCount, slowQueries: slowQueryCount } = meters.counts();
    return {
      ...{ instanceId: sources.instanceId, atMs: Date.now(), cpuShare, loopShare, rssBytes: rss, heapBytes: heapUsed },
      ...meters.recent(),
      ...{ queryCount, slowQueryCount },
      lockConflicts: sources.lockConflicts(),
      eventsPublished: sources.eventsPublished(),
      framesSent: sources.framesSent(),
      connections: pool.totalCount,
      connectionsWaiting: pool.waitingCount,
      ledger: ledgerFigures(sources.gatewayStats(), sources.ledgerStats()),
    };
  };
}

function ledgerFigures(gateway: GatewayStats | null, ledger: LedgerStats | null): ProcessFigures["ledger"] {
  if (!gateway || !ledger) return null;
  const { rows, flushes, failures, depth } = ledger;
  return { requests: gateway.requests, rows, flushes, failures, depth };
}
