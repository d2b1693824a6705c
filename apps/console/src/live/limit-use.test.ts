import type { LiveEvent } from "@sluice/core/events";
import { noUsage } from "@sluice/core/requests";
import { expect, it } from "vitest";
import { type LimitUse, limitUseAfter } from "./limit-use.ts";

const event = (type: string, keyId: string, second: number, costNanoUsd = "0"): LiveEvent =>
  ({
    type,
    rev: 0,
    row: {
      ...{ id: `${keyId}-${second}`, keyId, userId: "u", group: "g", startedAtMs: second * 1000 + 500, durationMs: 2_000, costNanoUsd },
      usage: { ...noUsage, input: 10, output: 5 },
    },
  }) as LiveEvent;
const reading = { windows: {}, serverNowMs: 101_000 };
const use: LimitUse = {
  ...{ kind: "key", id: "k", inFlight: 1, tokens: [], reserved: 70 },
  rate: [{ second: 100, count: 2 }],
  spent: { total: 1_000, day: 500 },
};

it("follows an owner's requests from their beginning to their end", () => {
  const started = [event("request.started", "k", 100), event("request.started", "k", 101)];
  const after = limitUseAfter(use, [...started, event("request.started", "other", 101), event("request.refused", "k", 101)], reading);
  expect(after).toMatchObject({
    inFlight: 3,
    rate: [
      { second: 100, count: 3 },
      { second: 101, count: 1 },
    ],
  });
  const ended = limitUseAfter(after, [event("request.finished", "k", 100, "40")], reading);
  expect(ended).toMatchObject({ inFlight: 2, rate: after.rate, tokens: [{ second: 102, count: 15 }], spent: { total: 1_040, day: 540 } });
  expect(limitUseAfter(use, [event("request.progressed", "k", 1)], reading)).toBe(use);
});

it("counts what all keys of a user or group do, and costs in the window of their beginning", () => {
  const events = [event("request.started", "k1", 100), event("request.finished", "k2", 99, "40")];
  for (const owner of [
    { kind: "user", id: "u" },
    { kind: "group", id: "g" },
  ] as const) {
    const after = limitUseAfter({ ...use, ...owner }, events, { ...reading, windows: { day: { startMs: 100_000 } } });
    expect(after).toMatchObject({ inFlight: 1, spent: { total: 1_040, day: 500 } });
  }
});

it("forgets reservations with the last request in flight", () => {
  expect(limitUseAfter(use, [event("request.finished", "k", 100)], reading).reserved).toBe(0);
});

it("counts a request whose first event is its last, beside one in flight since before", () => {
  const after = limitUseAfter(use, [event("request.finished", "k", 102), event("request.progressed", "k", 103)], reading);
  expect(after).toMatchObject({ inFlight: 2, reserved: 70 });
  expect(after.rate).toEqual([...use.rate, { second: 102, count: 1 }, { second: 103, count: 1 }]);
  // One that was in flight when the usage was read, and one whose first event was a progress.
  const ended = limitUseAfter(after, [event("request.finished", "k", 99), event("request.finished", "k", 103)], reading);
  expect(ended).toMatchObject({ inFlight: 0, rate: after.rate, reserved: 0 });
});
