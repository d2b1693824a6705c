import { expect, it } from "vitest";
import { rateFreesAtMs, rateResetAtMs, rateUsed } from "./rate-usage.ts";
import { newRateWindow, rateRetryAfterS, readRate, takeRate } from "./rate-window.ts";

const rate = [
  { second: 100, count: 2 },
  { second: 130, count: 1 },
];

it("counts each request for 61 seconds", () => {
  expect(rateUsed(rate, 130_000)).toBe(3);
  expect(rateUsed(rate, 160_999)).toBe(3);
  expect(rateUsed(rate, 161_000)).toBe(1);
  expect(rateUsed(rate, 191_000)).toBe(0);
});

it("says when a place is free again, and when all are", () => {
  expect(rateFreesAtMs(rate, 4, 130_000)).toBeNull();
  expect(rateFreesAtMs(rate, 3, 130_000)).toBe(161_000);
  expect(rateFreesAtMs(rate, 1, 130_000)).toBe(191_000);
  expect(rateResetAtMs(rate, 130_000)).toBe(191_000);
  expect(rateResetAtMs(rate, 191_000)).toBeNull();
  expect(rateResetAtMs([], 0)).toBeNull();
});

it("agrees with the window that the limit is kept by", () => {
  const window = newRateWindow(0);
  for (const second of [3, 3, 10, 40, 59, 70]) takeRate(window, second * 1000);
  const nowMs = 75_000;
  for (let limit = 1; limit <= 4; limit++) {
    const seen = readRate(window, nowMs);
    const frees = rateFreesAtMs(seen, limit, nowMs);
    expect(rateUsed(seen, nowMs)).toBe(3);
    expect(frees === null ? null : (frees - nowMs) / 1000).toBe(limit > 3 ? null : rateRetryAfterS(window, limit, nowMs));
  }
});
