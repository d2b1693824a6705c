import { fakeClock } from "@sluice/testing/clock";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createFailureRates } from "./failure-rates.ts";

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("note" as const), outcome: fc.constantFrom("success" as const, "failure" as const) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 10_000, 29_999, 30_000, 30_001, 60_000) }),
    },
    // A wall clock may be set to anything.
    { weight: 1, arbitrary: fc.record({ do: fc.constant("set" as const), ms: fc.constantFrom(-3_600_000, 3_600_000) }) },
    { weight: 1, arbitrary: fc.constant({ do: "forget" as const }) },
  ),
  { maxLength: 60, size: "max" },
);

test("a share covers all of the last 30 seconds, and nothing that is older than a minute or forgotten", () => {
  fc.assert(
    fc.property(steps, (history) => {
      const clock = fakeClock();
      const rates = createFailureRates(clock);
      let noted: { atMs: number; isFailure: boolean }[] = [];
      for (const step of history) {
        if (step.do === "wait") clock.advance(step.ms);
        else if (step.do === "set") clock.setNow(clock.now() + step.ms);
        else if (step.do === "forget") {
          rates.forget("p|m");
          noted = [];
        } else {
          noted.push({ atMs: clock.monotonic(), isFailure: step.outcome === "failure" });
          rates.note("p|other", "failure");
          const share = rates.note("p|m", step.outcome);
          const within = (ms: number) => noted.filter(({ atMs }) => clock.monotonic() - atMs < ms);
          const failures = (of: typeof noted) => of.filter(({ isFailure }) => isFailure).length;
          for (const [counted, least, most] of [
            [share.requests, within(30_000).length, within(60_000).length],
            [share.failures, failures(within(30_000)), failures(within(60_000))],
          ] as const) {
            expect(counted).toBeGreaterThanOrEqual(least);
            expect(counted).toBeLessThanOrEqual(most);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});
