import type { LiveEvent } from "@sluice/core/events";
import { expect, it } from "vitest";
import { usageAfter } from "./key-usage.ts";

const event = (type: string, keyId: string, second: number): LiveEvent =>
  ({ type, rev: 0, row: { id: `${type}-${second}`, keyId, startedAtMs: second * 1000 + 500 } }) as LiveEvent;

it("follows a key's requests from their beginning to their end", () => {
  const use = { inFlight: 1, rate: [{ second: 100, count: 2 }] };
  const after = usageAfter(use, "k", [
    event("request.started", "k", 100),
    event("request.started", "k", 101),
    event("request.started", "other", 101),
    event("request.refused", "k", 101),
  ]);
  expect(after).toEqual({
    inFlight: 3,
    rate: [
      { second: 100, count: 3 },
      { second: 101, count: 1 },
    ],
  });
  expect(usageAfter(after, "k", [event("request.finished", "k", 100)])).toMatchObject({ inFlight: 2, rate: after.rate });
  expect(usageAfter(use, "k", [event("request.progressed", "k", 1)])).toBe(use);
});
