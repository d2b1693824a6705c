import { FIVE_MINUTES_MS } from "@sluice/core/overview";
import { DAY_MS, localDayOf, localInstant } from "@sluice/core/time-zone";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slotPieces } from "./slot-pieces.ts";

const HOUR_MS = 3_600_000;
const zones = ["Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Europe/London", "UTC"];
const NOW_MS = Date.parse("2026-11-28T12:00:00Z");

/** `count` days of a zone; the last one ends `ago` days before today. */
function daysOf(zone: string, { count, ago }: { count: number; ago: number }): { times: number[]; endMs: number } {
  const last = localDayOf(NOW_MS, zone) - ago * DAY_MS;
  const edges = Array.from({ length: count + 1 }, (_, at) => localInstant(last - (count - at) * DAY_MS, zone));
  return { times: edges.slice(0, -1), endMs: edges.at(-1) ?? 0 };
}

/** What each slot would contain of requests at these moments, according to the buckets that are read. */
function countedBy({ parts, moves }: ReturnType<typeof slotPieces>, moments: readonly number[], slots: number): number[] {
  const counts = new Array<number>(slots).fill(0);
  for (const { first, times, buckets } of parts) {
    const lists = [[buckets.fiveMinutes, FIVE_MINUTES_MS] as const, [buckets.hours, HOUR_MS] as const, [buckets.days, DAY_MS] as const];
    for (const [list, stepMs] of lists)
      for (const start of list.map(Number)) {
        const inside = moments.filter((ms) => ms >= start && ms < start + stepMs).length;
        for (const { slot, sign } of moves[first + times.filter((time) => time.getTime() <= start).length - 1] ?? [])
          counts[slot] = (counts[slot] ?? 0) + sign * inside;
      }
  }
  return counts;
}

describe("days of a zone", () => {
  it("contain what began in them, across changes of the clocks", () => {
    const asked = fc.record({ count: fc.integer({ min: 1, max: 40 }), ago: fc.integer({ min: -1, max: 300 }) });
    const moments = fc.array(fc.integer({ min: 0, max: 44 * DAY_MS }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), asked, moments, (zone, days, afterMs) => {
        const { times, endMs } = daysOf(zone, days);
        const all = afterMs.map((ms) => (times[0] ?? 0) - 2 * DAY_MS + ms);
        const wanted = times.map((start, at) => all.filter((ms) => ms >= start && ms < (times[at + 1] ?? endMs)).length);
        expect(countedBy(slotPieces({ times, endMs }, 0), all, times.length)).toEqual(wanted);
      }),
    );
  });

  it("are composed of UTC days, plus eight hours at each boundary in Shanghai", () => {
    const { parts } = slotPieces(daysOf("Asia/Shanghai", { count: 30, ago: 10 }), NOW_MS);
    const count = (name: "days" | "hours"): number => parts.reduce((sum, { buckets }) => sum + buckets[name].length, 0);
    expect([count("days"), count("hours")]).toEqual([30, 31 * 8]);
  });
});
