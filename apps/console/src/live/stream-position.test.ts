import { expect, it } from "vitest";
import { covers } from "./bus-id.ts";
import { retryDelayMs } from "./connection.ts";
import { observeServerTime, serverNow } from "./server-clock.ts";

it("compares positions as numbers, part by part", () => {
  expect(covers("e:9-0", "e:10-0")).toBe(true);
  expect(covers("e:10-2", "e:10-10")).toBe(true);
  expect(covers("e:10-10", "e:10-2")).toBe(false);
  expect(covers("e:10-0", "e:10-0")).toBe(true);
});

it("trusts no position of another epoch", () => {
  expect(covers("a:1-0", "b:2-0")).toBe(false);
});

it("waits longer after each failure, never more than ten seconds, never in step", () => {
  expect(retryDelayMs(1, () => 1)).toBe(500);
  expect(retryDelayMs(1, () => 0)).toBe(250);
  expect(retryDelayMs(4, () => 1)).toBe(4_000);
  expect(retryDelayMs(50, () => 1)).toBe(10_000);
});

it("follows the server's clock by its least delayed message, and a clock that was set", () => {
  observeServerTime(10_000, 9_000);
  observeServerTime(10_400, 9_800);
  expect(serverNow(9_800)).toBe(10_800);
  observeServerTime(20_000, 60_000);
  expect(serverNow(60_000)).toBe(20_000);
});
