import type { RoutableProvider, Tier } from "@sluice/core/routing/provider-index";
import { visitInOrder } from "@sluice/core/routing/strategies";
import { fakeClock } from "@sluice/testing/clock";
import { describe, expect, test } from "vitest";
import { createProviderLoads } from "./provider-loads.ts";

const tier: Tier<RoutableProvider> = {
  providers: [
    { id: "a", weight: 1 },
    { id: "b", weight: 1 },
  ] as RoutableProvider[],
  totalWeight: 2,
};

describe("R39 lowest latency over what was measured", () => {
  test("the quick one gets at least four of five, even within 200 calls of a swap; the slow one is still tried", () => {
    const clock = fakeClock();
    const loads = createProviderLoads(clock);
    let state = 11;
    const random = () => {
      state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
      return state / 4_294_967_296;
    };
    const takes: Record<string, number> = { a: 50, b: 500 };
    const call = (): string => {
      let id = "";
      visitInOrder(tier, { strategy: "lowest_latency", measure: (one) => loads.of(one.id), turnOf: () => 0, random }, (first) => {
        id = first.id;
        return false;
      });
      loads.began(id);
      clock.advance(takes[id] ?? 0);
      loads.answered(id, takes[id] ?? 0);
      loads.ended(id);
      return id;
    };
    const calls = (count: number) => Array.from({ length: count }, call);
    const before = calls(200);
    expect(before.filter((id) => id === "a").length).toBeGreaterThanOrEqual(160);
    expect(before.slice(50)).toContain("b");
    Object.assign(takes, { a: 500, b: 50 });
    calls(200);
    expect(calls(200).filter((id) => id === "b").length).toBeGreaterThanOrEqual(160);
  });
});

test("requests in flight are counted, and an end without a beginning is ignored", () => {
  const loads = createProviderLoads(fakeClock());
  loads.began("p");
  loads.began("p");
  loads.ended("p");
  expect(loads.of("p")).toEqual({ inFlight: 1, ttftMs: null });
  loads.ended("p");
  loads.ended("p");
  expect(loads.of("p").inFlight).toBe(0);
});

test("a slower time counts at once, a quicker one over seconds; a failure does not count as a quick answer", () => {
  const clock = fakeClock();
  const loads = createProviderLoads(clock);
  loads.answered("p", 100);
  loads.answered("p", 900);
  expect(loads.of("p").ttftMs).toBe(900);
  clock.advance(1_000);
  loads.answered("p", 100);
  expect(loads.of("p").ttftMs).toBeGreaterThan(700);
  clock.advance(60_000);
  loads.answered("p", 100);
  expect(loads.of("p").ttftMs).toBeLessThan(110);
  loads.failed("p");
  expect(loads.of("p").ttftMs).toBe(10_000);
});

test("a provider that was not used for an hour is forgotten", () => {
  const clock = fakeClock();
  const loads = createProviderLoads(clock);
  loads.answered("p", 100);
  clock.advance(3_600_001);
  loads.sweep();
  expect(loads.of("p").ttftMs).toBeNull();
});
