import { expect, it } from "vitest";
import { fakeClock } from "./clock.ts";
import { until } from "./deadline.ts";

it("until returns the first outcome that is available", async () => {
  let looks = 0;
  expect(await until(() => (++looks > 2 ? looks : null), { what: "three looks", everyMs: 1 })).toBe(3);
  expect(await until(async () => 0, { what: "zero is an outcome" })).toBe(0);
});

it("until reports what it waited for and what it saw last", async () => {
  const waiting = until(
    () => {
      throw new Error("still closed");
    },
    { what: "the door opens", deadlineMs: 20, everyMs: 1 },
  );
  await expect(waiting).rejects.toThrow("Not within 20 ms: the door opens.");
  await expect(waiting).rejects.toMatchObject({ cause: new Error("still closed") });
});

it("the fake clock moves when told, and only its wall time may go back", () => {
  const clock = fakeClock(1_000);
  clock.advance(50);
  clock.setNow(10);
  expect([clock.now(), clock.monotonic()]).toEqual([10, 50]);
});
