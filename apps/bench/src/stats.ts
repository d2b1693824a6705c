import { defaultSettings } from "@sluice/core/inputs/settings";
import { keepRecentTotals } from "@sluice/services/overview/keep-recent-totals";
import { createTestDatabase } from "@sluice/testing/postgres";
import { type SkewedLog, seedSkewedLog, seedSkewedSums } from "@sluice/testing/seed-skewed-log";
import { type Bench, interleave, quantile, type Report, summarise } from "./report.ts";
import { type Asked, coldQuestions } from "./stats/questions.ts";
import { replayHour } from "./stats/replay.ts";
import { openWorld, type World } from "./stats/world.ts";

/**
 * What somebody waits for who asks about the past, after a year: ten million uneven requests of ten thousand keys (sixty thousand
 * requests without --full), by the verbs that console and REST call. Cold: no answer is kept. Warm: the same again. And how many reads of
 * an hour of use are answered from what is kept, on a clock that is moved.
 */
const year: SkewedLog = { rows: 10_000_000, days: 364, users: 2_000, keysPerUser: 5, providers: 50, models: 80 };
const short: SkewedLog = { ...year, rows: 60_000 };
const PER_ROUND = 20;

export const statsBench: Bench = async ({ full }) => {
  const log = full ? year : short;
  const database = await createTestDatabase();
  try {
    const began = performance.now();
    await seedSkewedLog(database.pool, log);
    await seedSkewedSums(database.pool, log);
    // As the worker does every few minutes.
    await keepRecentTotals(database.pool, { nowMs: Date.now(), settings: defaultSettings() });
    console.log(`${log.rows} rows seeded in ${Math.round((performance.now() - began) / 1_000)} s`);
    const world = await openWorld(database);
    try {
      const report = await measure(world, full ? 5 : 3);
      const hits = await replayHour(world, { minutes: full ? 60 : 10 });
      report.metrics.hitRateOfUse = summarise([hits]);
      report.targets.hitRateOfUse = { atLeast: 0.9 };
      return report;
    } finally {
      await world.close();
    }
  } finally {
    await database.drop();
  }
};

async function measure(world: World, rounds: number): Promise<Report> {
  const report: Report = { metrics: {}, targets: {} };
  const asked = Object.entries(coldQuestions);
  // Plans and pages of the tables are there before the first round.
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

/** ms each of twenty readers in turn: cold with nothing kept, warm of what the one before has read. */
async function timesOf(world: World, ask: Asked["ask"], isCold: boolean): Promise<number[]> {
  const took: number[] = [];
  if (!isCold) await ask(world, 0);
  for (let n = 0; n < PER_ROUND; n++) {
    if (isCold) await world.admin.cache.invalidateAll();
    const began = performance.now();
    await ask(world, isCold ? n : 0);
    took.push(performance.now() - began);
  }
  return took;
}
