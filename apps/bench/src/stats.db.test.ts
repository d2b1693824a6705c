import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "./report.ts";
import { measureStats } from "./stats.ts";

/** So short that the timings mean nothing; the test checks that all figures exist, each with its target. */
const log = { rows: 2_000, days: 40, users: 20, keysPerUser: 2, providers: 5, models: 10 };

describe("the benchmark of the statistics", () => {
  let report: Report;
  beforeAll(async () => {
    report = await measureStats({ log, rounds: 3, minutes: 1 });
  }, 120_000);

  it.each([
    ["P24", "a dashboard, cold and warm", ["P24: overviewMsP95", "P24: overviewWarmMsP95"]],
    ["P26", "a trend of thirty days", ["P26: usageTrendMsP95", "P26: usageTrendWarmMsP95"]],
    ["P27", "a leaderboard of keys", ["P27: leaderboardMonthMsP95"]],
    ["P30", "a filter beside the same without indexes", ["P30: usageTrendOfKeyMsP95", "P30: withByWithoutIndex"]],
  ])("%s: has a figure and a target for %s", (_row, _what, names) => {
    for (const name of names) {
      expect(report.metrics[name]?.median, name).toBeGreaterThan(0);
      expect(report.targets[name], name).toBeDefined();
    }
  });
});
