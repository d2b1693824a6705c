import { describe, expect, test } from "vitest";
import { type Breaker, type BreakerPolicy, breakerView, closedBreaker, failBreaker, succeedBreaker, takeBreakerProbe } from "./breaker.ts";

const policy: BreakerPolicy = { failures: 5, openMs: 60_000, probeMs: 30_000 };

function fail(breaker: Breaker, times: number, nowMs: number): Breaker {
  let next = breaker;
  for (let i = 0; i < times; i++) next = failBreaker(next, nowMs, policy, `failure ${i + 1}`);
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
  test("a success between failures starts the count anew", () => {
    expect(breakerView(fail(succeedBreaker(fail(closedBreaker, 4, 0)), 4, 0), 0, policy)).toBe("closed");
  });
  test("threshold 0 disables, also one that is open already", () => {
    const off = { ...policy, failures: 0 };
    expect(failBreaker(closedBreaker, 0, off, "x")).toBe(closedBreaker);
    expect(breakerView(fail(closedBreaker, 5, 0), 0, off)).toBe("closed");
  });
  test("a threshold lowered below the count opens at the next failure", () => {
    const next = failBreaker(fail(closedBreaker, 3, 0), 0, { ...policy, failures: 2 }, "x");
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
  test("a late answer counts for nothing while no probe is out", () => {
    const one = succeedBreaker(probe(fail(closedBreaker, 5, 0), 60_000));
    expect(succeedBreaker(one)).toBe(one);
    expect(failBreaker(one, 60_600, policy, "late")).toBe(one);
  });
  test("a failed probe opens twice as long, up to 30 minutes, and closing forgets that", () => {
    let breaker = fail(closedBreaker, 5, 0);
    let now = 0;
    const lengths: number[] = [];
    for (let i = 0; i < 8; i++) {
      lengths.push(breaker.probeAtMs - now);
      now = breaker.probeAtMs;
      breaker = failBreaker(probe(breaker, now), now, policy, "still down");
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
    expect(takeBreakerProbe(half, 90_000, policy)?.probeUntilMs).toBe(120_000);
  });
});
