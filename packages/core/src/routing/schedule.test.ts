import { describe, expect, test } from "vitest";
import { type Schedule, scheduleAt } from "./schedule.ts";

const at = (text: string) => Date.parse(text);
const state = (schedule: Schedule, text: string) => {
  const { open, untilMs } = scheduleAt(schedule, at(text));
  return [open, Number.isFinite(untilMs) ? new Date(untilMs).toISOString() : "never"];
};

describe("hours of a provider", () => {
  test("none are always", () => {
    expect(scheduleAt(undefined, 0).open).toBe(true);
    expect(state({ zone: "UTC", windows: [] }, "2026-01-01T00:00:00Z")).toEqual([true, "never"]);
  });

  test("a window of the day, in its zone, says when it opens and closes next", () => {
    const shop = { zone: "Asia/Shanghai", windows: [{ from: "09:00", to: "18:00" }] };
    expect(state(shop, "2026-01-01T00:59:59Z")).toEqual([false, "2026-01-01T01:00:00.000Z"]);
    expect(state(shop, "2026-01-01T01:00:00Z")).toEqual([true, "2026-01-01T10:00:00.000Z"]);
    expect(state(shop, "2026-01-01T10:00:00Z")).toEqual([false, "2026-01-02T01:00:00.000Z"]);
    // Backwards, as when a clock is corrected.
    expect(state(shop, "2026-01-01T05:00:00Z")).toEqual([true, "2026-01-01T10:00:00.000Z"]);
  });

  test("over midnight, and windows that meet are one", () => {
    const night = { zone: "UTC", windows: [{ from: "22:00", to: "06:00" }] };
    expect(state(night, "2026-01-01T23:00:00Z")).toEqual([true, "2026-01-02T06:00:00.000Z"]);
    expect(state(night, "2026-01-02T05:59:00Z")).toEqual([true, "2026-01-02T06:00:00.000Z"]);
    expect(state(night, "2026-01-02T06:00:00Z")).toEqual([false, "2026-01-02T22:00:00.000Z"]);
    const two = { zone: "UTC", windows: [{ from: "06:00", to: "12:00" }, ...night.windows] };
    expect(state(two, "2026-01-02T05:00:00Z")).toEqual([true, "2026-01-02T12:00:00.000Z"]);
    expect(scheduleAt({ zone: "UTC", windows: [{ from: "08:00", to: "08:00" }] }, at("2026-01-02T03:00:00Z")).open).toBe(true);
  });

  test("09:00 is 09:00 on either side of a change of summer time, and the night of 23 or 25 hours ends in the morning", () => {
    const berlin = { zone: "Europe/Berlin", windows: [{ from: "09:00", to: "17:00" }] };
    expect(state(berlin, "2026-03-28T07:00:00Z")).toEqual([false, "2026-03-28T08:00:00.000Z"]);
    expect(state(berlin, "2026-03-28T20:00:00Z")).toEqual([false, "2026-03-29T07:00:00.000Z"]);
    expect(state(berlin, "2026-10-24T20:00:00Z")).toEqual([false, "2026-10-25T08:00:00.000Z"]);
    const night = { zone: "Europe/Berlin", windows: [{ from: "22:00", to: "06:00" }] };
    expect(state(night, "2026-03-28T22:00:00Z")).toEqual([true, "2026-03-29T04:00:00.000Z"]);
    expect(state(night, "2026-10-24T22:00:00Z")).toEqual([true, "2026-10-25T05:00:00.000Z"]);
  });
});
