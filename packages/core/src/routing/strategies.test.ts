import { describe, expect, test } from "vitest";
import type { RoutableProvider, Tier } from "./provider-index.ts";
import { createTurns, type Measured, type Strategy, type StrategyInput, strategies, visitInOrder } from "./strategies.ts";

const provider = (id: string, weight = 1) => ({ id, weight }) as RoutableProvider;

function tierOf(...ids: string[]): Tier<RoutableProvider> {
  return { providers: ids.map((id) => provider(id)), totalWeight: ids.length };
}

/** A linear congruential generator: the same dice in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

function order(tier: Tier<RoutableProvider>, strategy: Strategy, measured: Record<string, Measured> = {}, random = dice(7)): string {
  const measure = ({ id }: RoutableProvider) => measured[id] ?? {};
  return visited(tier, { strategy, measure, turnOf: () => 0, random });
}

/** The ids of the first `most` in the order to try. */
function visited(tier: Tier<RoutableProvider>, input: StrategyInput<RoutableProvider>, most = Number.POSITIVE_INFINITY): string {
  const ids: string[] = [];
  visitInOrder(tier, input, ({ id }) => ids.push(id) < most);
  return ids.join("");
}

describe("the order inside a tier", () => {
  test("round robin: each comes first once, then again", () => {
    const tier = tierOf("a", "b", "c");
    const turnOf = createTurns();
    const orders = Array.from({ length: 4 }, () =>
      visited(tier, { strategy: "round_robin", measure: () => ({}), turnOf, random: () => 0 }),
    );
    expect(orders).toEqual(["abc", "bca", "cab", "abc"]);
  });

  test("a visit that has seen enough is the last", () => {
    const input = { measure: () => ({}), turnOf: () => 0, random: () => 0 };
    for (const strategy of strategies) expect(visited(tierOf("a", "b", "c"), { ...input, strategy }, 2)).toHaveLength(2);
  });

  test("least in flight: the idle first, among equals anybody", () => {
    const measured = { a: { inFlight: 3 }, b: { inFlight: 1 }, c: { inFlight: 2 } };
    expect(order(tierOf("a", "b", "c"), "least_in_flight", measured)).toBe("bca");
    const random = dice(1);
    const firsts = new Set(Array.from({ length: 50 }, () => order(tierOf("a", "b", "c"), "least_in_flight", {}, random)[0]));
    expect([...firsts].sort()).toEqual(["a", "b", "c"]);
  });

  test("lowest cost: the cheapest first, unpriced ones last", () => {
    const measured = { a: { costNanoUsd: 30 }, b: { costNanoUsd: null }, c: { costNanoUsd: 20 } };
    expect(order(tierOf("a", "b", "c"), "lowest_cost", measured)).toBe("cab");
  });

  test("lowest latency: of two, the quicker, weighted by its requests in flight; each is listed once", () => {
    const quick = { a: { inFlight: 0, ttftMs: 50 }, b: { inFlight: 0, ttftMs: 500 } };
    const random = dice(3);
    const orders = Array.from({ length: 1_000 }, () => order(tierOf("a", "b"), "lowest_latency", quick, random));
    const toQuick = orders.filter((one) => one === "ab").length;
    // One in twenty requests tries the slower provider first.
    expect(toQuick).toBeGreaterThan(920);
    expect(toQuick).toBeLessThan(980);
    const busy = { a: { inFlight: 30, ttftMs: 50 }, b: { inFlight: 0, ttftMs: 500 } };
    expect(order(tierOf("a", "b"), "lowest_latency", busy)).toBe("ba");
    expect(
      order(tierOf("a", "b", "c", "d"), "lowest_latency", {})
        .split("")
        .sort()
        .join(""),
    ).toBe("abcd");
  });

  test("lowest latency: an unmeasured provider is tried, but not by everybody at once", () => {
    const measured = { a: { inFlight: 0, ttftMs: 50 }, b: { inFlight: 0, ttftMs: null } };
    expect(order(tierOf("a", "b"), "lowest_latency", measured)).toBe("ba");
    expect(order(tierOf("a", "b"), "lowest_latency", { ...measured, b: { inFlight: 1, ttftMs: null } })).toBe("ab");
  });

  test("weighted: by weight", () => {
    const tier = { providers: [provider("a", 9), provider("b", 1)], totalWeight: 10 };
    const random = dice(5);
    const first = Array.from({ length: 2_000 }, () => order(tier, "weighted", {}, random)[0]);
    const share = first.filter((id) => id === "b").length / first.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
  });
});
