import { systemClock } from "@sluice/core/clock";
import { silentLog } from "@sluice/core/log";
import { until } from "@sluice/testing/deadline";
import { describe, expect, it } from "vitest";
import { startScheduler } from "./scheduler.ts";

const ctx = { log: silentLog, clock: systemClock };

describe("the scheduler", () => {
  it("never lets two runs of a job overlap, and lets jobs run beside each other", async () => {
    let inside = 0;
    let most = 0;
    let release = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    let others = 0;
    const scheduler = startScheduler(ctx, [
      {
        name: "slow",
        everyMs: 1,
        atStart: true,
        async run() {
          most = Math.max(most, ++inside);
          await blocked;
          inside--;
        },
      },
      { name: "quick", everyMs: 1, atStart: true, run: async () => void others++ },
    ]);
    await until(() => others >= 5, { what: "the quick job runs while the slow one waits" });
    expect(scheduler.stats().slow).toMatchObject({ runs: 0, isRunning: true });
    release();
    await until(() => (scheduler.stats().slow?.runs ?? 0) >= 3, { what: "the slow job runs again" });
    await scheduler.stop();
    expect(most).toBe(1);
  });

  it("counts and logs a failure and tries again", async () => {
    const logged: string[] = [];
    let tries = 0;
    const scheduler = startScheduler({ ...ctx, log: { ...silentLog, error: (_, message) => void logged.push(message) } }, [
      {
        name: "shaky",
        everyMs: 1,
        atStart: true,
        async run() {
          if (++tries === 1) throw new Error("not yet");
        },
      },
    ]);
    await until(() => tries >= 2, { what: "it is tried again" });
    await scheduler.stop();
    expect(scheduler.stats().shaky).toMatchObject({ failures: 1, isRunning: false });
    expect(logged).toEqual(["The job shaky failed"]);
  });

  it("stops: aborts running jobs, waits for them, and starts nothing more", async () => {
    let aborted = false;
    let started = 0;
    const scheduler = startScheduler(ctx, [
      {
        name: "long",
        everyMs: 1,
        atStart: true,
        run(signal) {
          started++;
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              aborted = true;
              reject(new Error("aborted"));
            });
          });
        },
      },
      { name: "later", everyMs: 3_600_000, atStart: false, run: async () => void started++ },
    ]);
    await until(() => started === 1, { what: "the job runs" });
    await scheduler.stop();
    await scheduler.stop();
    expect(aborted).toBe(true);
    expect(scheduler.stats()).toMatchObject({ long: { runs: 1, failures: 0 }, later: { runs: 0, lastEndedAtMs: null } });
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeLessThanOrEqual(1);
  });

  it("refuses two jobs of one name", () => {
    const job = { name: "same", everyMs: 1_000_000, atStart: false, run: async () => {} };
    expect(() => startScheduler(ctx, [job, job])).toThrow(/Two jobs/);
  });
});
