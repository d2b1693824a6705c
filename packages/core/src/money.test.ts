import { describe, expect, test } from "vitest";
import { COST_SCALE, formatUsd, NANO_PER_USD, NanoUsdSum, parseDecimal, priceTokens, roundToNanoUsd } from "./money.ts";

describe("decimals", () => {
  test.each([
    ["0", 0n],
    ["3", 3_000_000_000_000n],
    ["0.075", 75_000_000_000n],
    ["1.500000000000", 1_500_000_000_000n],
    ["0.000000000001", 1n],
    ["999999999999.999999999999", 999_999_999_999_999_999_999_999n],
  ])("%s is read exactly", (text, scaled) => {
    expect(parseDecimal(text)).toBe(scaled);
  });

  test.each(["", " 1", "1 ", "-1", "+1", "1e3", "1.", ".5", "1.0000000000001", "1,5", "NaN", "Infinity", "0x1", "١", "1\n"])(
    "%j is not a plain decimal",
    (text) => {
      expect(() => parseDecimal(text)).toThrow(RangeError);
    },
  );
});

describe("amounts", () => {
  test("a token at 1 USD per million is 1,000 nano-USD", () => {
    expect(roundToNanoUsd(priceTokens(parseDecimal("1"), 1n))).toBe(1_000n);
    expect(roundToNanoUsd(priceTokens(parseDecimal("1"), 1_000_000n))).toBe(NANO_PER_USD);
  });

  test("rounding is half up", () => {
    expect(roundToNanoUsd(COST_SCALE / 2n - 1n)).toBe(0n);
    expect(roundToNanoUsd(COST_SCALE / 2n)).toBe(1n);
    expect(roundToNanoUsd((COST_SCALE * 3n) / 2n)).toBe(2n);
  });

  test("sums of texts are exact, below 2^53, at it and beyond it", () => {
    const amounts = [0n, 1n, -1n, 81_000n, 2n ** 52n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 10n ** 18n + 1n];
    for (const a of amounts) {
      const sum = new NanoUsdSum();
      sum.add(a.toString());
      for (const b of amounts) sum.add(b.toString());
      expect(sum.toString()).toBe(amounts.reduce((total, b) => total + b, a).toString());
    }
  });

  test("amounts beyond 2^53 stay exact", () => {
    const huge = roundToNanoUsd(priceTokens(parseDecimal("999999"), 9_007_199_254_740_993n));
    expect(huge).toBe(999_999n * 9_007_199_254_740_993n * 1_000n);
  });

  test.each([
    [0n, "0"],
    [1n, "0.000000001"],
    [10_500_000n, "0.0105"],
    [-10_500_000n, "-0.0105"],
    [65_000_000_000n, "65"],
    [1_000_000_001n, "1.000000001"],
  ])("%s nano-USD is shown as %s", (nano, text) => {
    expect(formatUsd(nano)).toBe(text);
  });
});
