import { defaultSettings } from "@sluice/core/inputs/settings";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { createTestDatabase } from "@sluice/testing/postgres";
import { type SkewedLog, seedSkewedLog, seedSkewedSums } from "@sluice/testing/seed-skewed-log";
import type { Pool } from "pg";
import { type Bench, interleave, paired, quantile, type Report, summarise } from "./report.ts";
import { type Asked, coldQuestions, filteredTrend } from "./stats/questions.ts";
import { replayHour } from "./stats/replay.ts";
import { openWorld, type World } from "./stats/world.ts";

/**
 * Waiting times for questions about the past after a year: ten million skewed requests of ten thousand keys (sixty thousand requests
 * without --full), with the verbs that console and REST call. Cold: nothing is cached. Warm: the same again. And the cache hit rate of an
 * hour of use, on a simulated clock.
 */
const year: SkewedLog = { rows: 10_000_000, days: 364, users: 2_000, keysPerUser: 5, providers: 50, models: 80 };
const short: SkewedLog = { ...year, rows: 60_000 };
const PER_ROUND = 20;
/** Without indexes on ten million rows each takes seconds. */
const PER_ROUND_WITHOUT = 3;

/** Size of the measurement. */
export interface StatsPlan {
  log: SkewedLog;
  rounds: number;
  /** Minutes of use. */
  minutes: number;
}

export const statsBench: Bench = ({ full }) =>
  measureStats(full ? { log: year, rounds: 5, minutes: 60 } : { log: short, rounds: 3, minutes: 10 });

export async function measureStats({ log, rounds, minutes }: StatsPlan): Promise<Report> {
  const database = await createTestDatabase();
  try {
    const began = performance.now();
    await seedSkewedLog(database.pool, log);
    await seedSkewedSums(database.pool, log);
    // Normally the worker does this every few minutes.
    await keepRecentTotals(database.pool, { nowMs: Date.now(), settings: defaultSettings() });
    console.log(`${log.rows} rows seeded in ${Math.round((performance.now() - began) / 1_000)} s`);
    const world = await openWorld(database);
    try {
      const report = await measure(world, rounds);
      await compareWithoutIndexes(world, database.pool, report);
      report.metrics.hitRateOfUse = summarise([await replayHour(world, { minutes })]);
      report.targets.hitRateOfUse = { atLeast: 0.9 };
      return report;
    } finally {
      await world.close();
    }
  } finally {
    await database.drop();
  }
}

async function measure(world: World, rounds: number): Promise<Report> {
  const report: Report = { metrics: {}, targets: {} };
  const asked = Object.entries(coldQuestions);
  // Warms up plans and table pages before the first round.
  for (const [, { ask }] of asked) for (let n = 0; n < 3; n++) await ask(world, n);
  const cold = Object.fromEntries(asked.map(([name, { ask }]) => [name, () => timesOf(world, ask, true)] as const));
  const warm = Object.fromEntries(asked.map(([name, { ask }]) => [`${name}Warm`, () => timesOf(world, ask, false)] as const));
  const took = await interleave(rounds, { ...cold, ...warm });
  for (const [name, figures] of Object.entries(took)) {
    const metric = `${name}MsP95`;
    report.metrics[metric] = summarise(figures.map((ms) => quantile(ms, 0.95)));
    const atMost = name.endsWith("Warm") ? 5 : coldQuestions[name]?.atMostMs;
    if (atMost !== undefined) report.targets[metric] = { atMost };
  }
  return report;
}

/** P30: the cost of a filtered query without indexes on the sums, and what share of it remains with them. */
async function compareWithoutIndexes(world: World, pool: Pool, report: Report): Promise<void> {
  const { ask } = coldQuestions[filteredTrend] ?? {};
  const indexes = "indrelid = ANY (ARRAY['rollups_5m', 'rollups_hour', 'rollups_day', 'usage_sums']::regclass[])";
  const p95 = async (asks: number): Promise<number> => (ask ? quantile(await timesOf(world, ask, true, asks), 0.95) : Number.NaN);
  const made: Record<"with" | "without", number[]> = { with: [], without: [] };
  for (let round = 0; round < 3; round++) {
    made.with.push(await p95(PER_ROUND));
    await pool.query(`UPDATE pg_index SET indisvalid = false WHERE ${indexes}`);
    made.without.push(await p95(PER_ROUND_WITHOUT));
    await pool.query(`UPDATE pg_index SET indisvalid = true WHERE ${indexes}`);
  }
  report.metrics[`${filteredTrend}WithoutIndexMsP95`] = summarise(made.without);
  report.metrics["P30: withByWithoutIndex"] = paired(made.with, made.without, (indexed, plain) => indexed / plain);
  report.targets["P30: withByWithoutIndex"] = { atMost: 0.7 };
}

/** Times in ms of several readers in turn: cold with nothing cached, warm with what the previous one has read. */
async function timesOf(world: World, ask: Asked["ask"], isCold: boolean, asks = PER_ROUND): Promise<number[]> {
  const took: number[] = [];
  if (!isCold) await ask(world, 0);
  for (let n = 0; n < asks; n++) {
    if (isCold) await world.admin.cache.invalidateAll();
    const began = performance.now();
    await ask(world, isCold ? n : 0);
    took.push(performance.now() - began);
  }
  return took;
}
