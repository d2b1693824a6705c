import { describe, expect, it } from "vitest";
import { deliverAtMs } from "./quiet-hours.ts";

const night = { quietHours: { zone: "Asia/Shanghai", windows: [{ from: "22:00", to: "08:00" }] }, criticalThrough: true };

describe("quiet hours", () => {
  const inside = Date.UTC(2026, 10, 28, 15);
  const outside = Date.UTC(2026, 10, 28, 4);

  it("hold a message until they are over in the rule's zone, and none outside of them", () => {
    expect(deliverAtMs({ severity: "warning", ...night }, inside)).toBe(Date.UTC(2026, 10, 29, 0));
    expect(deliverAtMs({ severity: "warning", ...night }, outside)).toBe(outside);
    expect(deliverAtMs({ severity: "warning", ...night, quietHours: { zone: "UTC", windows: [] } }, inside)).toBe(inside);
  });

  it("let what is critical through, unless the rule says otherwise", () => {
    expect(deliverAtMs({ severity: "critical", ...night }, inside)).toBe(inside);
    expect(deliverAtMs({ severity: "critical", ...night, criticalThrough: false }, inside)).toBe(Date.UTC(2026, 10, 29, 0));
  });
});
