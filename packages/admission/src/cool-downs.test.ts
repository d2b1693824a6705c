import type { CoolDown } from "@sluice/core/events";
import { fakeClock } from "@sluice/testing/clock";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCoolDowns } from "./cool-downs.ts";

/** Two instances that hear of each other's cool-downs, some twice and in any order. */
function pair() {
  const clock = fakeClock();
  const sent: CoolDown[] = [];
  const both = [0, 1].map(() => createCoolDowns(clock, (coolDown) => sent.push(coolDown)));
  return { clock, sent, both };
}

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("cool" as const),
      by: fc.nat(1),
      providerId: fc.constantFrom("p", "q"),
      label: fc.constantFrom("", "a", "b"),
      forMs: fc.constantFrom(0, 1, 1_000, 60_000, 61_000, 3_600_000),
    }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 999, 1_000, 59_999, 60_000, 3_600_000) }),
    fc.record({ do: fc.constant("reset" as const), providerId: fc.constantFrom("p", "q") }),
  ),
  { maxLength: 30 },
);

test("of all refusals of a credential the latest end counts, on every instance, until a reset", () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (history, isReversed) => {
      const { clock, sent, both } = pair();
      const ends = new Map<string, number>();
      for (const step of history) {
        if (step.do === "wait") clock.advance(step.ms);
        else if (step.do === "reset") {
          for (const coolDowns of both) coolDowns.reset(step.providerId);
          for (const key of ends.keys()) if (key.startsWith(step.providerId)) ends.delete(key);
          sent.length = 0;
        } else {
          const { providerId, label } = step;
          const untilMs = clock.now() + step.forMs;
          both[step.by]?.cool({ providerId, label, untilMs, cause: "429" });
          ends.set(`${providerId} ${label}`, Math.max(untilMs, ends.get(`${providerId} ${label}`) ?? 0));
          for (const message of isReversed ? sent.toReversed() : sent) for (const coolDowns of both) coolDowns.receive(message);
        }
        const wanted = [...ends].filter(([, untilMs]) => untilMs > clock.now()).sort();
        for (const coolDowns of both) {
          const now = ["p", "q"].flatMap((id) => ["", "a", "b"].map((label) => [`${id} ${label}`, coolDowns.untilMs(id, label)] as const));
          expect(now.filter(([, untilMs]) => untilMs > 0).sort()).toEqual(wanted);
          expect(coolDowns.list().map(({ providerId, label, untilMs }) => [`${providerId} ${label}`, untilMs])).toHaveLength(wanted.length);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("when there is no room for more, one that is known can still be extended", () => {
  const { clock, both } = pair();
  const untilMs = clock.now() + 60_000;
  for (let i = 0; i <= 10_000; i++) both[0]?.cool({ providerId: "p", label: `${i}`, untilMs, cause: "401" });
  expect(both[0]?.untilMs("p", "10000")).toBe(0);
  both[0]?.cool({ providerId: "p", label: "0", untilMs: untilMs + 1, cause: "401" });
  expect(both[0]?.untilMs("p", "0")).toBe(untilMs + 1);
});
