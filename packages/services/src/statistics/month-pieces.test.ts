import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import { DAY_MS } from "@sluice/core/time-zone";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Pieces, piecesOf } from "./month-pieces.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-01-01T00:00:00Z");
const months = Array.from({ length: 12 }, (_, month) => Date.UTC(2026, month));

/** How often a request at this moment is counted. */
function countedAt({ months, pieces }: Pieces, ms: number): number {
  const isIn = (list: readonly Date[], lengthMs: number): boolean =>
    list.some((start) => ms >= start.getTime() && ms < start.getTime() + lengthMs);
  const ofMonths = months.filter((start) => ms >= start.getTime() && ms < Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1)).length;
  return pieces.reduce((sum, { sign, buckets: { fiveMinutes, hours, days } }) => {
    const isInside = isIn(fiveMinutes, FIVE_MINUTES_MS) || isIn(hours, HOUR_MS) || isIn(days, DAY_MS);
    return sum + (isInside ? sign : 0);
  }, ofMonths);
}

const spans = fc.record({
  from: fc.integer({ min: 0, max: 250 * 288 }),
  length: fc.oneof(fc.integer({ min: 1, max: 4 * 288 }), fc.integer({ min: 1, max: 110 * 288 })),
  whole: fc.subarray(months),
});

describe("a span", () => {
  it("counts its own content once, and nothing else, whichever months are whole", () => {
    const moments = fc.array(fc.integer({ min: 0, max: 364 * DAY_MS }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(spans, moments, ({ from, length, whole }, afterMs) => {
        const fromMs = START_MS + from * FIVE_MINUTES_MS;
        const toMs = fromMs + length * FIVE_MINUTES_MS;
        const pieces = piecesOf({ fromMs, toMs, fineFromMs: 0 }, new Set(whole));
        // Also just outside and inside its ends.
        for (const ms of [...afterMs.map((after) => START_MS + after), fromMs - 1, fromMs, toMs - 1, toMs])
          expect(countedAt(pieces, ms)).toBe(ms >= fromMs && ms < toMs ? 1 : 0);
      }),
    );
  });

  it("is read by at most twelve hours and half a month of days at either end", () => {
    fc.assert(
      fc.property(spans, ({ from, length }) => {
        const fromMs = START_MS + from * FIVE_MINUTES_MS;
        const toMs = fromMs + 2 * DAY_MS + length * FIVE_MINUTES_MS;
        const { pieces } = piecesOf({ fromMs, toMs, fineFromMs: 0 }, new Set(months));
        const count = (name: "days" | "hours"): number => pieces.reduce((sum, { buckets }) => sum + buckets[name].length, 0);
        expect(count("hours")).toBeLessThanOrEqual(24);
        expect(count("days")).toBeLessThanOrEqual(2 * 16);
      }),
    );
  });
});
