import { describe, expect, test } from "vitest";
import {
  type Breaker,
  type BreakerPolicy,
  breakerView,
  closedBreaker,
  failBreaker,
  succeedBreaker,
  takeBreakerProbe,
  tripBreaker,
} from "./breaker.ts";

const policy: BreakerPolicy = { failures: 5, openMs: 60_000, probes: 1, probeMs: 30_000 };

function fail(breaker: Breaker, times: number, nowMs: number): Breaker {
  let next = breaker;
  for (let i = 0; i < times; i++) next = failBreaker(next, nowMs, policy, { cause: `failure ${i + 1}` });
  return next;
}

function probe(breaker: Breaker, nowMs: number): Breaker {
  const taken = takeBreakerProbe(breaker, nowMs, policy);
  if (!taken) throw new Error("no probe to take");
  return taken;
}

describe("closed", () => {
  test("opens at the fifth failure in a row and keeps its cause", () => {
    const four = fail(closedBreaker, 4, 1_000);
    expect(breakerView(four, 1_000, policy)).toBe("closed");
    const five = fail(four, 1, 1_000);
    expect(breakerView(five, 1_000, policy)).toBe("open");
    expect(five).toMatchObject({ state: "open", probeAtMs: 61_000, cause: "failure 1", failures: 5 });
  });
  test("a success between failures resets the count", () => {
    expect(breakerView(fail(succeedBreaker(fail(closedBreaker, 4, 0)), 4, 0), 0, policy)).toBe("closed");
  });
  test("threshold 0 disables, also one that is open already", () => {
    const off = { ...policy, failures: 0 };
    expect(failBreaker(closedBreaker, 0, off, { cause: "x" })).toBe(closedBreaker);
    expect(breakerView(fail(closedBreaker, 5, 0), 0, off)).toBe("closed");
  });
  test("a threshold lowered below the count opens at the next failure", () => {
    const next = failBreaker(fail(closedBreaker, 3, 0), 0, { ...policy, failures: 2 }, { cause: "x" });
    expect(next.state).toBe("open");
  });
});

describe("open", () => {
  test("failures and successes of earlier requests change nothing", () => {
    const open = fail(closedBreaker, 5, 0);
    expect(fail(open, 10, 30_000)).toBe(open);
    expect(succeedBreaker(open)).toBe(open);
  });
  test("one probe when due, none before", () => {
    const open = fail(closedBreaker, 5, 0);
    expect(takeBreakerProbe(open, 59_999, policy)).toBeNull();
    expect(breakerView(open, 60_000, policy)).toBe("probe");
    const half = probe(open, 60_000);
    expect(half.state).toBe("half_open");
    expect(breakerView(half, 60_001, policy)).toBe("open");
    expect(takeBreakerProbe(half, 60_001, policy)).toBeNull();
  });
  test("closed ones have no probe to take", () => {
    expect(takeBreakerProbe(closedBreaker, 0, policy)).toBeNull();
  });
});

describe("half open", () => {
  test("two successful probes close", () => {
    const one = succeedBreaker(probe(fail(closedBreaker, 5, 0), 60_000));
    expect(one.state).toBe("half_open");
    expect(breakerView(one, 60_500, policy)).toBe("probe");
    expect(succeedBreaker(probe(one, 60_500))).toBe(closedBreaker);
  });
  test("a late answer counts for nothing while no probe is in flight", () => {
    const one = succeedBreaker(probe(fail(closedBreaker, 5, 0), 60_000));
    expect(succeedBreaker(one)).toBe(one);
    expect(failBreaker(one, 60_600, policy, { cause: "late" })).toBe(one);
  });
  test("a failed probe opens twice as long, up to 30 minutes, and closing forgets that", () => {
    let breaker = fail(closedBreaker, 5, 0);
    let now = 0;
    const lengths: number[] = [];
    for (let i = 0; i < 8; i++) {
      lengths.push(breaker.probeAtMs - now);
      now = breaker.probeAtMs;
      breaker = failBreaker(probe(breaker, now), now, policy, { cause: "still down" });
    }
    expect(lengths).toEqual([60, 120, 240, 480, 960, 1800, 1800, 1800].map((seconds) => seconds * 1000));
    expect(breaker.cause).toBe("still down");
    const closed = succeedBreaker(probe(succeedBreaker(probe(breaker, breaker.probeAtMs)), breaker.probeAtMs));
    expect(fail(closed, 5, 0).probeAtMs).toBe(60_000);
  });
  test("a probe without a verdict gives its place back", () => {
    const half = probe(fail(closedBreaker, 5, 0), 60_000);
    expect(breakerView(half, 89_999, policy)).toBe("open");
    expect(breakerView(half, 90_000, policy)).toBe("probe");
    expect(takeBreakerProbe(half, 90_000, policy)?.probesUntilMs).toEqual([120_000]);
  });
  test("k probes at a time, one for each slot that is free or was released", () => {
    const three = { ...policy, probes: 3 };
    let half = fail(closedBreaker, 5, 0);
    for (const atMs of [60_000, 60_001, 60_002]) half = takeBreakerProbe(half, atMs, three) ?? half;
    expect(half.probesUntilMs).toEqual([90_000, 90_001, 90_002]);
    expect(takeBreakerProbe(half, 60_003, three)).toBeNull();
    expect(takeBreakerProbe(succeedBreaker(half), 60_003, three)?.probesUntilMs).toHaveLength(3);
    // The prober of one has disappeared: its slot is replaced, the other two keep theirs.
    expect(takeBreakerProbe(half, 90_000, three)?.probesUntilMs).toEqual([90_001, 90_002, 120_000]);
    expect(succeedBreaker(succeedBreaker(half))).toBe(closedBreaker);
  });
});

describe("Retry-After", () => {
  const failing = (breaker: Breaker, retryAfterMs: number, nowMs: number) =>
    failBreaker(breaker, nowMs, policy, { cause: "429", retryAfterMs });

  test("keeps a provider out from the first failure on, for as long as it said, half an hour at most", () => {
    const open = failing(closedBreaker, 7_000, 1_000);
    expect(breakerView(open, 7_999, policy)).toBe("open");
    expect(breakerView(open, 8_000, policy)).toBe("probe");
    expect(failing(closedBreaker, 86_400_000, 0).probeAtMs).toBe(1_800_000);
  });
  test("does not let the back-off grow, and is not shortened by it", () => {
    const open = failing(closedBreaker, 7_000, 0);
    const again = failBreaker(probe(open, 7_000), 7_000, policy, { cause: "500" });
    expect(again.probeAtMs).toBe(67_000);
    expect(failing(probe(open, 7_000), 300_000, 7_000).probeAtMs).toBe(307_000);
    expect(failing(fail(closedBreaker, 4, 0), 90_000, 0).probeAtMs).toBe(90_000);
  });
  test("of a late answer does not extend it", () => {
    const open = failing(closedBreaker, 7_000, 0);
    expect(failing(open, 60_000, 1_000)).toBe(open);
  });
});

describe("a rate of failures", () => {
  test("opens a closed breaker, and is marked as such until a failed probe confirms it", () => {
    const open = tripBreaker(closedBreaker, 0, policy, "15 of 30");
    expect(breakerView(open, 59_999, policy)).toBe("tripped");
    expect(breakerView(probe(open, 60_000), 60_001, policy)).toBe("tripped");
    expect(breakerView(failBreaker(probe(open, 60_000), 60_000, policy, { cause: "500" }), 60_001, policy)).toBe("open");
    expect(tripBreaker(fail(closedBreaker, 5, 0), 0, policy, "x").byRate).toBe(false);
    expect(tripBreaker(closedBreaker, 0, { ...policy, failures: 0 }, "x")).toBe(closedBreaker);
  });
});
