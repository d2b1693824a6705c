import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@sluice/core/log";
import { startEmbeddedPostgres } from "@sluice/db/embedded-postgres";
import { migrate } from "@sluice/db/migrate";
import { ensurePartitions } from "@sluice/db/partitions";
import { createPool } from "@sluice/db/postgres";
import { settleBatch } from "@sluice/ledger/settle-batch";
import { BACKLOG_BATCHES } from "@sluice/ledger/settler";
import type pg from "pg";
import { bootWithBacklog } from "./ledger/boot.ts";
import { appendLatency, finishLatency } from "./ledger/durable-finish.ts";
import { makeEnds } from "./ledger/ends.ts";
import { createOlderDesign, writeOlder } from "./ledger/older-design.ts";
import { type Bench, interleave, type Metric, paired, type Report, summarise } from "./report.ts";

/**
 * The costs of the ledger. Settling, in rows/s on one connection to a durable PostgreSQL: a backlog as the settler takes it; and in
 * steady batches, compared with the design that it replaced (INSERT, UPDATE, trigger), in the same batch size and one by one. The latency
 * of a durable FINISH with 128 writers, compared with a bare append loop on the same disk. And a start over a spool of 100,000 requests
 * that ended while PostgreSQL was away.
 */
const batchSize = 500;
const writers = 128;
const spooled = 100_000;

async function rowsPerSecond(count: number, size: number, write: (ends: ReturnType<typeof makeEnds>) => Promise<unknown>): Promise<number> {
  const ends = makeEnds(count);
  const began = performance.now();
  for (let from = 0; from < count; from += size) await write(ends.slice(from, from + size));
  return (count / (performance.now() - began)) * 1_000;
}

async function measure(pool: pg.Pool, dir: string, full: boolean): Promise<Report> {
  const rounds = full ? 9 : 3;
  const scale = full ? 5 : 1;
  await createOlderDesign(pool);
  const older = await pool.connect();
  const rates = {
    settle: () => rowsPerSecond(12_000 * scale, batchSize * BACKLOG_BATCHES, (ends) => settleBatch(pool, ends)),
    settleSteady: () => rowsPerSecond(5_000 * scale, batchSize, (ends) => settleBatch(pool, ends)),
    olderBatched: () => rowsPerSecond(5_000 * scale, batchSize, (ends) => writeOlder(older, ends)),
    olderOneByOne: () => rowsPerSecond(500 * scale, 1, (ends) => writeOlder(older, ends)),
  };
  // Warms up prepared statements, caches and table files before the first round.
  for (const warm of Object.values(rates)) await warm();
  const rate = await interleave(rounds, rates);
  older.release();
  const finishes = 20_000 * scale;
  const latency = await interleave(rounds, {
    append: () => appendLatency(dir, writers, finishes),
    finish: () => finishLatency(dir, writers, finishes, null),
    finishWhileSettling: () => finishLatency(dir, writers, finishes, pool),
  });
  const boots = await interleave(3, { boot: () => bootWithBacklog(dir, spooled, pool) });
  const metrics: Record<string, Metric> = {
    settleRowsPerSecond: summarise(rate.settle),
    settleSteadyRowsPerSecond: summarise(rate.settleSteady),
    olderBatchedRowsPerSecond: summarise(rate.olderBatched),
    olderOneByOneRowsPerSecond: summarise(rate.olderOneByOne),
    timesOlderBatched: paired(rate.settleSteady, rate.olderBatched, (a, b) => a / b),
    timesOlderOneByOne: paired(rate.settleSteady, rate.olderOneByOne, (a, b) => a / b),
  };
  for (const [name, figures] of Object.entries(latency)) {
    metrics[`${name}MsP50`] = summarise(figures.map(({ p50Ms }) => p50Ms));
    metrics[`${name}MsP99`] = summarise(figures.map(({ p99Ms }) => p99Ms));
    metrics[`${name}PerSecond`] = summarise(figures.map(({ perSecond }) => perSecond));
  }
  metrics.bootReadyMs = summarise(boots.boot.map(({ readyMs }) => readyMs));
  metrics.backlogRowsPerSecond = summarise(boots.boot.map(({ drainedPerSecond }) => drainedPerSecond));
  return {
    metrics,
    targets: { settleRowsPerSecond: { atLeast: 20_000 }, timesOlderOneByOne: { atLeast: 10 }, bootReadyMs: { atMost: 5_000 } },
  };
}

export const ledgerBench: Bench = async ({ full }) => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-bench-ledger-"));
  const postgres = await startEmbeddedPostgres({ dataDir: join(dir, "data"), log: silentLog });
  const pool = createPool(postgres.url, { max: 3, statementTimeoutMs: 0 });
  try {
    await migrate(postgres.url, { log: silentLog });
    await ensurePartitions(pool, { nowMs: Date.now() });
    return await measure(pool, dir, full);
  } finally {
    await pool.end();
    await postgres.stop();
    await rm(postgres.directory, { recursive: true, force: true });
    await rm(dir, { recursive: true, force: true });
  }
};
