import type { LedgerStats } from "@sluice/ledger/records";
import type { Redis } from "ioredis";
import type { Pool } from "pg";

/** The answer of `/health`. `degraded`: requests still work, but a dependency does not. */
export interface Health {
  status: "ok" | "degraded" | "draining";
  version: string;
  postgres: "ok" | "down";
  redis: "ok" | "down" | "in_process";
  spool: { status: "ok" | "unwritable" | "none"; depth: number; oldestAgeMs: number };
}

export interface HealthSources {
  pool: Pool;
  redis: Redis | null;
  ledgerStats: () => LedgerStats | null;
  version: string;
  draining: () => boolean;
}

/** A dependency that does not answer within this time counts as down: health checks must not hang. */
const probeTimeoutMs = 1_000;

async function answers(probe: Promise<unknown>): Promise<"ok" | "down"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"down">((resolve) => {
    timer = setTimeout(() => resolve("down"), probeTimeoutMs);
  });
  try {
    return await Promise.race([probe.then(() => "ok" as const), late]);
  } catch {
    return "down";
  } finally {
    clearTimeout(timer);
  }
}

/** Probes Postgres and Redis once; concurrent callers share one probe, so that many checks cost one query. */
export function createHealth(sources: HealthSources): () => Promise<Health> {
  let running: Promise<Health> | null = null;
  return () => {
    running ??= probe(sources).finally(() => {
      running = null;
    });
    return running;
  };
}

async function probe(sources: HealthSources): Promise<Health> {
  const [postgres, redis] = await Promise.all([
    answers(sources.pool.query("SELECT 1")),
    sources.redis ? answers(sources.redis.ping()) : ("in_process" as const),
  ]);
  const stats = sources.ledgerStats();
  const spool = stats
    ? { status: stats.writable ? ("ok" as const) : ("unwritable" as const), depth: stats.depth, oldestAgeMs: stats.oldestAgeMs }
    : { status: "none" as const, depth: 0, oldestAgeMs: 0 };
  const healthy = postgres === "ok" && redis !== "down" && spool.status !== "unwritable";
  const status = sources.draining() ? "draining" : healthy ? "ok" : "degraded";
  return { status, version: sources.version, postgres, redis, spool };
}
