import type { BreakerState } from "@sluice/core/events";
import { defaultSettings } from "@sluice/core/inputs/settings";
import { fakeClock } from "@sluice/testing/clock";
import { afterEach, describe, expect, test, vi } from "vitest";
import { keyAsk } from "../test/ask.ts";
import type { Admission } from "./admission.ts";
import { createAdmission } from "./create-admission.ts";

const open: Admission[] = [];
afterEach(async () => {
  for (const admission of open.splice(0)) await admission.close();
});

function start() {
  const clock = fakeClock();
  const settings = defaultSettings();
  const transitions: BreakerState[] = [];
  const admission = createAdmission({
    redis: null,
    clock,
    settings: () => settings,
    onTransition: (breaker) => transitions.push(breaker),
    instanceId: "a",
  });
  open.push(admission);
  return { admission, clock, settings, transitions };
}

describe("over time, without Redis", () => {
  test("usage counts the last minute's requests by the second, as the limit does", async () => {
    const { admission, clock } = start();
    const limits = { keyId: "k", rpm: 5, inFlight: null };
    const second = Math.floor(clock.now() / 1000);
    await admission.admit(keyAsk("r1", limits));
    await admission.admit(keyAsk("r2", limits));
    clock.advance(30_000);
    await admission.admit(keyAsk("r3", limits));
    const both = [
      { second, count: 2 },
      { second: second + 30, count: 1 },
    ];
    expect(await admission.usage({ owner: "key", id: "k", values: limits })).toMatchObject({ rate: both });
    clock.advance(31_000);
    expect(await admission.usage({ owner: "key", id: "k", values: limits })).toMatchObject({ rate: both.slice(1) });
    clock.advance(60_000);
    expect(await admission.usage({ owner: "key", id: "k", values: limits })).toMatchObject({ rate: [] });
  });

  test("a minute's requests come back as they age out, as the refusal said", async () => {
    const { admission, clock } = start();
    const limits = { keyId: "k", rpm: 2, inFlight: null };
    expect(await admission.admit(keyAsk("r1", limits))).toBeNull();
    clock.advance(30_000);
    expect(await admission.admit(keyAsk("r2", limits))).toBeNull();
    const refusal = await admission.admit(keyAsk("r3", limits));
    expect(refusal).toMatchObject({ limit: "rpm", owner: "key", ownerId: "k", value: 2, retryAfterS: 31 });
    clock.advance(30_000);
    expect(await admission.admit(keyAsk("r3", limits))).toMatchObject({ limit: "rpm", retryAfterS: 1 });
    clock.advance(1_000);
    expect(await admission.admit(keyAsk("r3", limits))).toBeNull();
    expect(await admission.admit(keyAsk("r4", limits))).toMatchObject({ limit: "rpm" });
  });

  test("a breaker waits 60 s, then 120 s, at most 30 minutes", async () => {
    const { admission, clock, transitions } = start();
    const { breakers } = admission;
    for (let i = 0; i < 5; i++) breakers.failed("p", "m", { cause: "500" });
    const waits: number[] = [];
    for (let round = 0; round < 7; round++) {
      const startedMs = clock.now();
      // Failures of requests from before the opening do not extend it.
      breakers.failed("p", "m", { cause: "late" });
      while (breakers.stateOf("p", "m") === "open") clock.advance(1_000);
      waits.push((clock.now() - startedMs) / 1000);
      expect(breakers.stateOf("p", "m")).toBe("probe");
      expect(await breakers.takeProbe("p", "m")).toBe(true);
      breakers.failed("p", "m", { cause: "still down" });
    }
    expect(waits).toEqual([60, 120, 240, 480, 960, 1800, 1800]);
    expect(transitions.filter(({ state }) => state === "open")).toHaveLength(8);
    expect(breakers.list()).toMatchObject([{ state: "open", cause: "still down" }]);
  });

  test("R06: stickiness lives five hours after the last use", () => {
    const { admission, clock } = start();
    admission.sticky.bind("s", "p");
    for (let i = 0; i < 4; i++) {
      clock.advance(4 * 3_600_000 + 59 * 60_000);
      expect(admission.sticky.find("s")).toBe("p");
    }
    clock.advance(5 * 3_600_000 + 60_000);
    expect(admission.sticky.find("s")).toBeNull();
  });

  test("R02: of fifty thousand sessions at most ten thousand stay bound", () => {
    const { admission } = start();
    for (let i = 0; i < 50_000; i++) admission.sticky.bind(`s${i}`, "p");
    expect(admission.sticky.stats()).toMatchObject({ size: 10_000, max: 10_000, evicted: 40_000 });
    expect(admission.sticky.find("s49999")).toBe("p");
  });

  test("R03: when the table is full, the least recently used tenth is evicted", () => {
    const { admission } = start();
    for (let i = 0; i < 10_000; i++) admission.sticky.bind(`s${i}`, "p");
    expect(admission.sticky.find("s0")).toBe("p");
    admission.sticky.bind("one more", "p");
    expect(admission.sticky.find("s0")).toBe("p");
    for (const gone of ["s1", "s1000"]) expect(admission.sticky.find(gone)).toBeNull();
    expect(admission.sticky.find("s1001")).toBe("p");
  });

  test("R04: eviction runs once per thousand sessions, not for each", () => {
    const { admission } = start();
    for (let i = 0; i < 10_000; i++) admission.sticky.bind(`s${i}`, "p");
    admission.sticky.bind("t0", "p");
    const after = admission.sticky.stats();
    for (let i = 1; i < 1_000; i++) admission.sticky.bind(`t${i}`, "p");
    expect(admission.sticky.stats()).toEqual({ ...after, size: 10_000 });
    expect(after).toMatchObject({ size: 9_001, evicted: 1_000 });
  });

  test("R01: sessions hold no timer", () => {
    const { admission } = start();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    for (let i = 0; i < 10_000; i++) admission.sticky.bind(`s${i}`, "p");
    expect(timers()).toBe(before);
  });

  test("R05: an expired binding is never returned; a sweep every ten minutes removes it", () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const { admission, clock } = start();
      for (let i = 0; i < 100; i++) admission.sticky.bind(`s${i}`, "p");
      clock.advance(5 * 3_600_000 + 1);
      expect(admission.sticky.find("s0")).toBeNull();
      expect(admission.sticky.stats()).toMatchObject({ size: 99, expired: 1 });
      vi.advanceTimersByTime(10 * 60_000);
      expect(admission.sticky.stats()).toMatchObject({ size: 0, expired: 100 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("R07: how full it is, and how often a session was found", () => {
    const { admission } = start();
    for (let i = 0; i < 100; i++) admission.sticky.bind(`s${i}`, "p");
    for (const session of ["s0", "s1", "nobody"]) admission.sticky.find(session);
    const { size, max, hits, misses } = admission.sticky.stats();
    expect({ share: size / max, hits, misses }).toEqual({ share: 0.01, hits: 2, misses: 1 });
  });

  test("breakers of ever new models are bounded", () => {
    const { admission } = start();
    for (let i = 0; i < 10_500; i++) admission.breakers.failed("p", `m${i}`, { cause: "500" });
    expect(admission.breakers.list()).toHaveLength(10_000);
    expect(admission.breakers.stateOf("p", "m10499")).toBe("closed");
  });

  test("an overlong cause is truncated", () => {
    const { admission } = start();
    admission.breakers.failed("p", "m", { cause: "x".repeat(10_000) });
    expect(admission.breakers.list()[0]?.cause.length).toBeLessThanOrEqual(300);
  });
});
