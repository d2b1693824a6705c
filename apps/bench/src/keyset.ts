import { defaultSettings } from "@sluice/core/inputs/settings";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { createTestDatabase } from "@sluice/testing/postgres";
import { type SkewedLog, seedSkewedLog, seedSkewedSums } from "@sluice/testing/seed-skewed-log";
import { measurePages } from "./keyset/pages.ts";
import { measureSums } from "./keyset/sums.ts";
import { type BenchOptions, type Report, summarise } from "./report.ts";

/**
 * The log after a year: ten million skewed requests (sixty thousand without --full), inserted by COPY, and how long a reader waits for
 * pages, with the statements of the console's lists.
 */
const year: SkewedLog = { rows: 10_000_000, days: 364, users: 2_000, keysPerUser: 5, providers: 50, models: 80 };
const short: SkewedLog = { ...year, rows: 60_000, users: 200 };

export async function keysetBench({ full }: BenchOptions): Promise<Report> {
  const log = full ? year : short;
  const database = await createTestDatabase();
  try {
    const { pool } = database;
    const began = performance.now();
    await seedSkewedLog(pool, log);
    await seedSkewedSums(pool, log);
    // Normally the worker does this every few minutes.
    await keepRecentTotals(pool, { nowMs: Date.now(), settings: defaultSettings() });
    console.log(`${log.rows} rows seeded in ${Math.round((performance.now() - began) / 1_000)} s`);
    const rounds = full ? 9 : 3;
    const pages = await measurePages(pool, log, rounds);
    const sums = await measureSums(pool, rounds);
    const metrics = { rows: summarise([log.rows]), ...pages.metrics, ...sums.metrics };
    return { metrics, targets: { ...pages.targets, ...sums.targets } };
  } finally {
    await database.drop();
  }
}
