import type { BreakerState, ProviderHealth } from "@sluice/core/events";
import { expect, it } from "vitest";
import { createProviderHealth } from "./provider-health.ts";

const health = (change: Partial<ProviderHealth> = {}): ProviderHealth => ({
  providerId: "p",
  inFlight: 0,
  requests: 0,
  errors: 0,
  costNanoUsd: "0",
  breakers: [],
  ...change,
});
const breaker = (change: Partial<BreakerState> = {}): BreakerState => ({
  providerId: "p",
  model: "m",
  state: "open",
  failures: 5,
  probeAtMs: 1_000,
  cause: "x",
  ...change,
});

it("moves figures by events, from where the bootstrap call left them", () => {
  const board = createProviderHealth();
  board.load([health({ requests: 1 })]);
  board.push([{ type: "provider.measured", health: health({ requests: 2 }) }]);
  expect(board.get().get("p")?.requests).toBe(2);
});

it("opens and closes one breaker without touching the others or the figures", () => {
  const board = createProviderHealth();
  board.load([health({ requests: 7, breakers: [breaker({ model: "other" })] })]);
  board.push([{ type: "provider.opened", breaker: breaker(), atMs: 0 }]);
  board.push([{ type: "provider.closed", breaker: breaker({ state: "closed", probeAtMs: null }), atMs: 0 }]);
  expect(board.get().get("p")).toMatchObject({
    requests: 7,
    breakers: [
      { model: "other", state: "open" },
      { model: "m", state: "closed" },
    ],
  });
});

it("knows a provider that the bootstrap call did not have yet", () => {
  const board = createProviderHealth();
  board.push([{ type: "provider.opened", breaker: breaker({ providerId: "new" }), atMs: 0 }]);
  expect(board.get().get("new")?.breakers).toHaveLength(1);
});

it("wakes nobody for events of others", () => {
  const board = createProviderHealth();
  const before = board.get();
  let woken = 0;
  board.subscribe(() => {
    woken += 1;
  });
  board.push([{ type: "key.changed", id: "k" }]);
  expect(woken).toBe(0);
  expect(board.get()).toBe(before);
});

it("keeps pushed figures when the list is read again, and takes its breakers", () => {
  const board = createProviderHealth();
  board.load([health()]);
  board.push([{ type: "provider.measured", health: health({ requests: 7, costNanoUsd: "9" }) }]);
  board.load([health({ breakers: [breaker()] }), health({ providerId: "q" })]);
  expect(board.get().get("p")).toEqual(health({ requests: 7, costNanoUsd: "9", breakers: [breaker()] }));
  expect(board.get().get("q")).toEqual(health({ providerId: "q" }));
});

it("a credential that cools off is shown until it is over, whatever figures are pushed meanwhile", () => {
  const board = createProviderHealth();
  board.load([health()]);
  const coolDown = { providerId: "p", label: "spare", untilMs: 5_000, cause: "429" };
  board.push([{ type: "credential.cooled", coolDown }]);
  board.push([{ type: "provider.measured", health: health({ requests: 9 }) }]);
  expect(board.get().get("p")).toMatchObject({ requests: 9, coolDowns: [coolDown] });
  board.push([{ type: "credential.cooled", coolDown: { ...coolDown, untilMs: 0 } }]);
  expect(board.get().get("p")?.coolDowns).toEqual([{ ...coolDown, untilMs: 0 }]);
});
