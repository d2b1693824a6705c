import { describe, expect, test } from "vitest";
import { dayStart, nextDayStart, sameTimeYesterday, zoneOffsetMs } from "./time-zone.ts";

const at = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString();

describe("a day of a zone", () => {
  test.each([
    ["UTC", "2026-11-21T13:05:07.250Z", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z"],
    ["Asia/Shanghai", "2026-11-21T15:59:59.999Z", "2026-11-20T16:00:00.000Z", "2026-11-21T16:00:00.000Z"],
    ["Asia/Kolkata", "2026-11-21T18:30:00.000Z", "2026-11-21T18:30:00.000Z", "2026-11-22T18:30:00.000Z"],
    // Days of 25 and of 23 hours.
    ["America/New_York", "2026-11-01T12:00:00.000Z", "2026-11-01T04:00:00.000Z", "2026-11-02T05:00:00.000Z"],
    ["America/New_York", "2026-03-08T12:00:00.000Z", "2026-03-08T05:00:00.000Z", "2026-03-09T04:00:00.000Z"],
    // Summer time of half an hour.
    ["Australia/Lord_Howe", "2026-04-05T02:00:00.000Z", "2026-04-04T13:00:00.000Z", "2026-04-05T13:30:00.000Z"],
    // The day begins at one o'clock: midnight is skipped.
    ["Africa/Cairo", "2026-04-24T12:00:00.000Z", "2026-04-23T22:00:00.000Z", "2026-04-24T21:00:00.000Z"],
    // Midnight occurs twice: the day begins with the first.
    ["America/Havana", "2026-11-01T12:00:00.000Z", "2026-11-01T04:00:00.000Z", "2026-11-02T05:00:00.000Z"],
    ["Asia/Kolkata", "1969-12-31T20:00:00.500Z", "1969-12-31T18:30:00.000Z", "1970-01-01T18:30:00.000Z"],
  ])("%s at %s", (zone, now, start, next) => {
    expect(iso(dayStart(at(now), zone))).toBe(start);
    expect(iso(nextDayStart(at(now), zone))).toBe(next);
    expect(dayStart(dayStart(at(now), zone), zone)).toBe(at(start));
    expect(dayStart(at(next) - 1, zone)).toBe(at(start));
  });
});

describe("yesterday at the same time", () => {
  test.each([
    ["UTC", "2026-11-21T13:05:07.250Z", "2026-11-20T13:05:07.250Z"],
    // The clocks went back in between: the same wall time was 25 hours ago.
    ["America/New_York", "2026-11-01T15:00:00.000Z", "2026-10-31T14:00:00.000Z"],
    ["America/New_York", "2026-11-02T15:00:00.000Z", "2026-11-01T15:00:00.000Z"],
    // Yesterday 02:30 did not occur, or 01:30 occurred twice.
    ["America/New_York", "2026-03-09T06:30:00.000Z", "2026-03-08T07:30:00.000Z"],
    ["America/New_York", "2026-11-02T06:30:00.000Z", "2026-11-01T05:30:00.000Z"],
  ])("%s at %s", (zone, now, then) => {
    expect(iso(sameTimeYesterday(at(now), zone))).toBe(then);
  });
});

test("an offset, and a zone that nobody knows", () => {
  expect(zoneOffsetMs(at("2026-11-21T00:00:00Z"), "Asia/Kathmandu")).toBe(345 * 60_000);
  expect(() => dayStart(0, "Mars/Olympus")).toThrow(RangeError);
});
