import type { InstanceState } from "@sluice/core/events";
import { CACHE_WINDOW_MS, CacheWindow } from "@sluice/services/alerts/cache-window";
import { expect, it } from "vitest";

const START = Date.UTC(2026, 10, 28, 12);

function instance(id: string, hits: number, misses: number, startedAtMs = START - 86_400_000): InstanceState {
  return {
    id,
    startedAtMs,
    caches: { stats: { hits, misses, bypasses: 0, errors: 0, writesFailed: 0, entries: 0, bytes: 0 } },
  } as InstanceState;
}

it("the hit rate is that of the last quarter of an hour, over all instances, whenever they or the observer started", () => {
  const window = new CacheWindow();
  const rateAt = (minutes: number, ...instances: InstanceState[]) => window.read(instances, START + minutes * 60_000);
  expect(rateAt(0, instance("a", 1_000, 0)), "not known, and not silent either").toEqual({ value: null, requests: 1 });
  expect(rateAt(1, instance("a", 1_010, 30))).toEqual({ value: 25, requests: 40 });
  expect(rateAt(2, instance("a", 1_010, 30), instance("b", 60, 0, START + 60_000)), "a new one's counts are all of the window").toEqual({
    value: 70,
    requests: 100,
  });
  const later = 2 + CACHE_WINDOW_MS / 60_000;
  expect(rateAt(later, instance("a", 1_010, 30), instance("b", 60, 0, START + 60_000)), "what is older is out").toEqual({
    value: null,
    requests: 0,
  });
  expect(rateAt(later + 1, instance("a", 5, 5), instance("b", 60, 0, START + 60_000)).requests, "set to zero, it begins anew").toBe(1);
  expect(rateAt(later + 2, instance("a", 5, 15), instance("b", 60, 0, START + 60_000))).toEqual({ value: 0, requests: 10 });
});
