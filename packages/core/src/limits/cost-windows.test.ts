import { describe, expect, test } from "vitest";
import { type CostRules, costWindows, dayWindow, spendBucket } from "./cost-windows.ts";
import { appliedLimits, effectiveCost } from "./limit-values.ts";
import { addSpend, layoutOf, newSpendBook, rebuildSpend, rotateSpend, spendFreesAtMs, spentIn, trimSpend } from "./spend-book.ts";

const at = (text: string): number => Date.parse(text);
const iso = (ms: number | undefined): string => new Date(ms ?? Number.NaN).toISOString();
const rules: CostRules = { zone: "UTC", fiveHours: "rolling", day: "fixed", dayAt: "00:00" };
const HOUR = 3_600_000;

describe("windows of cost", () => {
  test.each([
    ["2024-01-14T23:00:00Z", "2024-01-14T00:00:00.000Z", "2024-01-15T00:00:00.000Z"],
    ["2024-01-15T02:00:00Z", "2024-01-15T00:00:00.000Z", "2024-01-16T00:00:00.000Z"],
  ])("a day from 08:00 in Shanghai: at %s it began %s", (now, start, end) => {
    const { startMs, endMs } = dayWindow({ zone: "Asia/Shanghai", dayAt: "08:00" }, at(now));
    expect([iso(startMs), iso(endMs)]).toEqual([start, end]);
  });

  test("a day across a change of the clocks has 23 or 25 hours", () => {
    const of = (now: string) => {
      const { startMs, endMs } = dayWindow({ zone: "America/New_York", dayAt: "00:00" }, at(now));
      return (endMs - startMs) / HOUR;
    };
    expect([of("2026-03-08T12:00:00Z"), of("2026-11-01T12:00:00Z"), of("2026-06-01T12:00:00Z")]).toEqual([23, 25, 24]);
  });

  test("weeks begin on Monday, months on the first, in the zone", () => {
    const { week, month } = costWindows({ ...rules, zone: "Asia/Kolkata" }, at("2026-11-29T19:00:00Z")).fixed;
    // 00:30 on Monday the 30th.
    expect([iso(week?.startMs), iso(week?.endMs)]).toEqual(["2026-11-29T18:30:00.000Z", "2026-12-06T18:30:00.000Z"]);
    expect([iso(month?.startMs), iso(month?.endMs)]).toEqual(["2026-10-31T18:30:00.000Z", "2026-11-30T18:30:00.000Z"]);
  });

  test("fixed five hours count from the beginning of the day, and the last is what is left of it", () => {
    const fixed: CostRules = { ...rules, fiveHours: "fixed", dayAt: "08:00" };
    const of = (now: string) => costWindows(fixed, at(now)).fixed["5h"];
    expect(iso(of("2026-11-21T07:59:59Z")?.startMs)).toBe("2026-11-21T04:00:00.000Z");
    expect(iso(of("2026-11-21T07:59:59Z")?.endMs)).toBe("2026-11-21T08:00:00.000Z");
    expect(iso(of("2026-11-21T13:00:00Z")?.startMs)).toBe("2026-11-21T13:00:00.000Z");
  });

  test("at any time in any of these zones, windows contain the instant, follow one another and last as long as they should", () => {
    let seed = 11;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    const zones = ["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Havana"];
    for (let i = 0; i < 300; i++) {
      const dayAt = `${String(random(24)).padStart(2, "0")}:${String(random(60)).padStart(2, "0")}`;
      const some: CostRules = { zone: zones[random(zones.length)] ?? "UTC", fiveHours: "fixed", day: "fixed", dayAt };
      const now = at("2024-01-01T00:00:00Z") + random(2_147_483_647) * 80 + random(1_000);
      const windows = costWindows(some, now);
      for (const [kind, window] of Object.entries(windows.fixed)) {
        expect(window.startMs, kind).toBeLessThanOrEqual(now);
        expect(window.endMs, kind).toBeGreaterThan(now);
        const next = costWindows(some, window.endMs).fixed[kind as "day"];
        expect(next?.startMs, `${kind} ${some.zone} ${dayAt}`).toBe(window.endMs);
      }
      expect(windows.untilMs).toBeGreaterThan(now);
    }
  });
});

describe("what is spent in a window", () => {
  const usd = (dollars: number): number => dollars * 1e9;
  const start = at("2026-11-21T06:00:00Z");
  const windowsAt = (ms: number) => costWindows(rules, ms);

  test("rolling five hours: $10 at 0 h and $20 at 3 h read 30 at 4 h, 20 at 6 h", () => {
    const book = newSpendBook();
    addSpend(book, start, usd(10));
    addSpend(book, start + 3 * HOUR, usd(20));
    const spent = (hours: number) => spentIn(book, "5h", windowsAt(start + hours * HOUR), start + hours * HOUR) / 1e9;
    expect([spent(0), spent(4), spent(5), spent(6), spent(9)]).toEqual([30, 30, 30, 20, 0]);
    const nowMs = start + 4 * HOUR;
    // With a limit of 30, room for five more appears when the ten leave the window.
    expect(spendFreesAtMs(book, "5h", windowsAt(nowMs), { nowMs, room: usd(25) })).toBe(start + 5 * HOUR + 300_000);
    trimSpend(book, start + 48 * HOUR);
    expect(book.buckets.size).toBe(0);
  });

  test("a fixed window starts from zero; what began before it does not count in it", () => {
    const book = newSpendBook();
    rotateSpend(book, windowsAt(start), 0);
    addSpend(book, start, usd(3));
    const midnight = at("2026-11-22T00:00:00Z");
    rotateSpend(book, windowsAt(midnight), 0);
    expect(spentIn(book, "day", windowsAt(midnight), midnight)).toBe(0);
    expect(spentIn(book, "week", windowsAt(midnight), midnight)).toBe(usd(3));
    // A request that began yesterday and ends today.
    addSpend(book, midnight - 1, usd(1));
    expect(spentIn(book, "day", windowsAt(midnight), midnight)).toBe(0);
    expect(spentIn(book, "total", windowsAt(midnight), midnight)).toBe(usd(4));
    expect(spendFreesAtMs(book, "day", windowsAt(midnight), { nowMs: midnight, room: 0 })).toBe(at("2026-11-23T00:00:00Z"));
    expect(spendFreesAtMs(book, "total", windowsAt(midnight), { nowMs: midnight, room: 0 })).toBeNull();
  });

  test("the ledger's sums replace the book's, plus what they lack", () => {
    const book = newSpendBook();
    rotateSpend(book, windowsAt(start), 0);
    addSpend(book, start, usd(99));
    const windows = windowsAt(start);
    const starts = { total: 0, day: at("2026-11-21T00:00:00Z") };
    const facts = {
      layout: layoutOf(windows, 0),
      starts,
      sums: { total: usd(7), day: usd(2) },
      buckets: new Map([[spendBucket(start), usd(2)]]),
    };
    rebuildSpend(book, facts, [{ startedAtMs: start, nanoUsd: usd(0.5) }]);
    const spent = (kind: "total" | "day" | "5h") => spentIn(book, kind, windows, start) / 1e9;
    expect([spent("total"), spent("day"), spent("5h")]).toEqual([7.5, 2.5, 2.5]);
  });
});

describe("limits as they apply", () => {
  test.each<[(string | number | null)[], number | null]>([
    [["10", "15"], 10_000_000_000],
    [["0", "15"], 15_000_000_000],
    [[null, "0.000000001"], 1],
    [["5.9"], 5_900_000_000],
    [["-3", "2"], 2_000_000_000],
    [["NaN", Number.POSITIVE_INFINITY, Number.NaN, -1], null],
    [["99999999"], 1_000_000_000_000_000],
    [[], null],
  ])("costs stay exact: %j → %s nano-USD", (levels, nano) => {
    expect(effectiveCost(...levels)).toBe(nano);
  });

  test("an owner whose limits limit nothing counts as having none", () => {
    expect(appliedLimits({ rpm: 0, inFlight: null, tpm: Number.NaN, costDayUsd: "0" })).toBeNull();
    expect(appliedLimits({ rpm: 5.9, inFlight: null, costDayUsd: "1.5", costResetAtMs: 7 })).toEqual({
      ...{ rpm: 5, tpm: null, inFlight: null, costs: { day: 1_500_000_000 }, totalSinceMs: 7 },
    });
  });
});
