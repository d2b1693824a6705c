import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { missingAt, missingBetween, type PartitionSpan, spanAt, spansAfter, type TimeRange } from "./partition-ranges.ts";

const DAY_MS = 86_400_000;
const span = fc.constantFrom<PartitionSpan>("monthly", "weekly");
const moment = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2031, 0, 1) });

describe("ranges of partitions", () => {
  it("are whole months, or weeks from Monday", () => {
    const wednesday = Date.UTC(2026, 11, 30, 13);
    expect(spanAt(wednesday, "monthly")).toEqual({ fromMs: Date.UTC(2026, 11, 1), toMs: Date.UTC(2027, 0, 1) });
    expect(spanAt(wednesday, "weekly")).toEqual({ fromMs: Date.UTC(2026, 11, 28), toMs: Date.UTC(2027, 0, 4) });
    expect(spansAfter(wednesday, 2, "monthly")).toBe(Date.UTC(2027, 1, 1));
    expect(spansAfter(wednesday, -1, "weekly")).toBe(Date.UTC(2026, 11, 21));
  });

  it("never overlap and leave no gap, however often the setting changes and whatever comes late", () => {
    const step = fc.record({ now: moment, late: moment, span });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const covered: TimeRange[] = [];
        for (const { now, late, span } of steps) {
          const wanted = { fromMs: now, toMs: spansAfter(now, 2, span) };
          covered.push(...missingBetween(covered, wanted, span));
          const one = missingAt(covered, late, span);
          if (one) covered.push(one);
          for (let ms = now; ms < spanAt(wanted.toMs, span).toMs; ms += DAY_MS / 2) expect(missingAt(covered, ms, span)).toBeNull();
          expect(missingAt(covered, late, span)).toBeNull();
        }
        const sorted = [...covered].sort((a, b) => a.fromMs - b.fromMs);
        for (const [at, range] of sorted.entries()) {
          expect(range.fromMs).toBeLessThan(range.toMs);
          expect(range.fromMs % DAY_MS).toBe(0);
          expect(range.toMs).toBeLessThanOrEqual(sorted[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});
