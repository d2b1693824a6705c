import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketOfMs,
  countMs,
  type LatencyCounts,
  mergeCounts,
  quantileMs,
  readSketch,
  SKETCH_ERROR,
  sketchBounds,
  writeSketch,
} from "./latency-sketch.ts";

const DAY_MS = 86_400_000;
/** Every order of magnitude is equally likely: most durations are short, but quantiles are about the long ones. */
const duration = fc.integer({ min: 0, max: 26 }).chain((power) => fc.integer({ min: 0, max: Math.min(DAY_MS, 2 ** power) }));
const durations = fc.array(duration, { minLength: 1, maxLength: 300 });

function sketchOf(values: readonly number[]): LatencyCounts {
  const counts: LatencyCounts = [];
  for (const value of values) countMs(counts, value);
  return counts;
}

function nearestRank(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
}

describe("a sketch of durations", () => {
  it("gives every quantile within its error", () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const exact = nearestRank(values, share);
        const found = quantileMs(sketchOf(values), share) ?? Number.NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * SKETCH_ERROR + 1e-9);
      }),
    );
  });

  it("merged is the sketch of all, in any order, and so are its numbers added", () => {
    fc.assert(
      fc.property(durations, durations, durations, (a, b, c) => {
        const all = sketchOf([...a, ...b, ...c]);
        expect(mergeCounts(sketchOf(a), mergeCounts(sketchOf(b), sketchOf(c)))).toEqual(all);
        expect(mergeCounts(mergeCounts(sketchOf(c), sketchOf(a)), sketchOf(b))).toEqual(all);
        const added = [a, b, c].reduce((sum, values) => sum + BigInt(writeSketch(sketchOf(values))), 0n);
        expect(readSketch(added.toString())).toEqual(all);
      }),
    );
  });

  it("has whole, ascending bounds, each bucket's last millisecond at most 1.1 times its first", () => {
    for (const [at, first] of sketchBounds.entries()) {
      const next = sketchBounds[at + 1];
      expect(bucketOfMs(first)).toBe(at + 1);
      expect(bucketOfMs(first - 1)).toBe(at);
      if (next !== undefined) expect((next - 1) * 10).toBeLessThanOrEqual(first * 11);
    }
    expect(sketchBounds.at(-1)).toBeGreaterThan(DAY_MS);
  });

  it("of nothing has no quantiles, and takes what is longer than a day into its last bucket", () => {
    expect(quantileMs(readSketch("0"), 0.5)).toBeNull();
    expect(writeSketch([])).toBe("0");
    expect(quantileMs(sketchOf([30 * DAY_MS]), 0.99)).toBeGreaterThan(DAY_MS);
    expect(() => readSketch("1.5")).toThrow(RangeError);
  });
});
