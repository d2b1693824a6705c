import { beforeAll, describe, expect, it } from "vitest";
import { type ApiPlan, measureApi } from "./api.ts";
import type { Report } from "./report.ts";

/** So short that the timings mean nothing; the test checks that all figures exist and come from real answers. */
const plan: ApiPlan = {
  log: { rows: 2_000, days: 10, users: 100, keysPerUser: 1, providers: 5, models: 10 },
  ...{ loadMs: 400, listMs: 200 },
};

describe("W45: the benchmark of the API", () => {
  let report: Report;
  beforeAll(async () => {
    report = await measureApi(plan);
  }, 240_000);

  const median = (name: string): number => report.metrics[name]?.median ?? Number.NaN;

  it("W38, W39, W40: has a figure and a target for times of answers and of statements, and the list of users", () => {
    for (const name of ["W38: msP95", "W39: queryMsP95", "W40: userListMsP95"]) {
      expect(median(name), name).toBeGreaterThan(0);
      expect(report.targets[name]).toBeDefined();
    }
    expect(median("W39: queries")).toBeGreaterThan(0);
  });

  it("W42: a session at the dashboard is answered from the cache, 85 times of 100 at least", () => {
    expect(median("W42: hitRate")).toBeGreaterThanOrEqual(0.85);
  });

  it("W43: no call of fifty clients fails", () => {
    expect(median("W43: errors")).toBe(0);
    expect(median("W43: perSecond")).toBeGreaterThan(0);
  });

  it("W44: has a figure for memory after a load relative to before, and one for a cached page relative to an uncached one", () => {
    for (const name of ["W44: rssAfterByBefore", "W44: warmPageByCold"]) {
      expect(median(name), name).toBeGreaterThan(0);
      expect(report.targets[name]).toBeDefined();
    }
  });

  it("P47: every answer's time is among the raw samples", () => {
    // How many samples fit into an interval depends on the machine.
    for (const name of ["coldMs", "sessionMs", "userListMs", "pacedMs0", "loadMs0", "loadMs2"])
      expect(report.samples?.[name]?.length, name).toBeGreaterThan(0);
  });
});
