import { expect, it } from "vitest";
import { measureMemory } from "./memory.ts";

// Ratios of what is resident after a collection: no time is in them. Fewer requests than the benchmark has, so less sharp.
it("W44: requests in flight whose answers are relayed take 30 % less memory, at least, than those that are held", async () => {
  const { metrics, targets } = await measureMemory({ answerBytes: 64 * 1024, requestsBefore: 300, requests: 300, rounds: 3 });
  // The answer so far is all there, and something of the process's own.
  expect(metrics.heldMbPer1000?.median).toBeGreaterThan(64 * (1_000 / 1_024));
  expect(metrics.relayedMbPer1000?.median).toBeGreaterThan(0);
  expect(targets["W44: relayedByHeld"]).toEqual({ atMost: 0.7 });
  expect(metrics["W44: relayedByHeld"]?.median).toBeLessThanOrEqual(0.7);
}, 240_000);
