import { describe, expect, test } from "vitest";
import { effectiveCount } from "./effective-count.ts";
import { advanceRate, newRateWindow, rateRetryAfterS, returnRate, takeRate } from "./rate-window.ts";

describe("effective limit", () => {
  test.each<[(number | null)[], number | null]>([
    [[10, 15], 10],
    [[0, 15], 15],
    [[5.9, 15], 5],
    [[null, 15], 15],
    [[Number.NaN, 15], 15],
    [[-3, 15], 15],
    [[Number.POSITIVE_INFINITY, 15], 15],
    [[0.5, 15], 15],
    [[null, null, 7], 7],
    [[0, null], null],
    [[], null],
  ])("%j → %s", (levels, limit) => {
    expect(effectiveCount(...levels)).toBe(limit);
  });
});

describe("requests per minute", () => {
  /** Admits while fewer than `limit` are in the window. */
  function admit(window: ReturnType<typeof newRateWindow>, limit: number, atMs: number): boolean {
    advanceRate(window, atMs);
    if (window.total >= limit) return false;
    takeRate(window, atMs);
    return true;
  }

  test("no 60 seconds ever hold more than the limit, and a place frees within 61 s", () => {
    const limit = 7;
    const window = newRateWindow(0);
    const admitted: number[] = [];
    let seed = 7;
    let now = 0;
    for (let i = 0; i < 5_000; i++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      now += seed % 4_000;
      const recent = admitted.filter((at) => now - at < 61_000).length;
      const ok = admit(window, limit, now);
      if (ok) admitted.push(now);
      else expect(recent).toBeGreaterThanOrEqual(limit);
      expect(admitted.filter((at) => now - at < 60_000).length).toBeLessThanOrEqual(limit);
    }
    expect(admitted.length).toBeGreaterThan(500);
  });

  test("a refusal says when to come back, and coming back then works", () => {
    const window = newRateWindow(10_500);
    expect(admit(window, 2, 10_500)).toBe(true);
    expect(admit(window, 2, 20_000)).toBe(true);
    expect(admit(window, 2, 30_000)).toBe(false);
    const retryMs = 30_000 + rateRetryAfterS(window, 2, 30_000) * 1000;
    expect(admit(window, 2, retryMs - 1_000)).toBe(false);
    expect(admit(window, 2, retryMs)).toBe(true);
  });

  test("a limit lowered below what is booked waits until enough has aged out", () => {
    const window = newRateWindow(0);
    for (const at of [0, 5_000, 9_000]) takeRate(window, at);
    advanceRate(window, 10_000);
    expect(rateRetryAfterS(window, 1, 10_000)).toBe(60);
    expect(rateRetryAfterS(window, 3, 10_000)).toBe(51);
  });

  test("what was released counts for nothing, and not twice", () => {
    const window = newRateWindow(0);
    const second = takeRate(window, 1_000);
    returnRate(window, second);
    returnRate(window, second);
    expect(window.total).toBe(0);
    takeRate(window, 500_000);
    returnRate(window, second);
    expect(window.total).toBe(1);
  });

  test("a clock that steps back neither frees nor throws", () => {
    const window = newRateWindow(100_000);
    takeRate(window, 100_000);
    takeRate(window, 40_000);
    advanceRate(window, 30_000);
    expect(window.total).toBe(2);
  });
});
