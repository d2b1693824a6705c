import { expect, it } from "vitest";
import { measureMemory } from "./memory.ts";

// Ratios of the memory that remains after a collection, so timing plays no role. Fewer requests than the benchmark, so less precise.
it("W44: requests in flight whose answers are relayed take at least 30 % less memory than ones whose answers are held", async () => {
  const { metrics, targets } = await measureMemory({ answerBytes: 64 * 1024, requestsBefore: 300, requests: 300, rounds: 3 });
  // The held answers are all in memory, plus some of the process's own.
  expect(metrics.heldMbPer1000?.median).toBeGreaterThan(64 * (1_000 / 1_024));
  expect(metrics.relayedMbPer1000?.median).toBeGreaterThan(0);
  expect(targets["W44: relayedByHeld"]).toEqual({ atMost: 0.7 });
  expect(metrics["W44: relayedByHeld"]?.median).toBeLessThanOrEqual(0.7);
}, 240_000);
