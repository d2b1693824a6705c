import type { Reconciliation, Repricing } from "@sluice/core/events";
import { beforeEach, expect, it } from "vitest";
import { api, queryClient } from "../api/client.ts";
import { takeReconciliations } from "./reconciliation-feed.ts";
import { takeRepricings } from "./repricing-feed.ts";

const check = (id: string, changes: Partial<Reconciliation> = {}): Reconciliation => ({
  ...{ id, startedAtMs: 1, finishedAtMs: null, actorId: "", state: "running", steps: 9, stepsDone: 0, unchecked: [], differences: [] },
  ...changes,
});
const order = (id: string, changes: Partial<Repricing> = {}): Repricing => ({
  ...{ id, model: "m", priceId: "p", fromMs: 0, toMs: 1, reachedMs: 0, requests: 0, corrected: 0, costNanoUsd: "0", actorId: "" },
  ...{ createdAtMs: 1, finishedAtMs: null },
  ...changes,
});

beforeEach(() => queryClient.clear());

/** Simulates an event that arrives after the server has answered but before its answer arrives. */
async function answeredLate<T>(queryKey: readonly unknown[], answer: T, pushed: () => void): Promise<unknown> {
  let arrive: (answer: T) => void = () => undefined;
  const arriving = new Promise<T>((resolve) => {
    arrive = resolve;
  });
  const read = queryClient.fetchQuery({ queryKey, queryFn: () => arriving, staleTime: 0 });
  pushed();
  arrive(answer);
  await read;
  return queryClient.getQueryData(queryKey);
}

it("the pushed end of a check is not undone by an older answer", async () => {
  const queryKey = api.reconciliations.newest.queryKey();
  const done = check("b", { state: "done", stepsDone: 9, finishedAtMs: 5 });
  const push = () => takeReconciliations([{ type: "reconciliation.changed", reconciliation: done }]);
  for (const old of [
    null,
    check("a", { state: "done", finishedAtMs: 2 }),
    check("b", { stepsDone: 4 }),
    check("b", { state: "stopped" }),
  ]) {
    queryClient.clear();
    expect(await answeredLate(queryKey, old, push)).toEqual(done);
  }
  const next = check("c");
  expect(await answeredLate(queryKey, next, () => undefined)).toEqual(next);
});

it("orders keep pushed changes, and an order newer than the answer", async () => {
  const queryKey = api.prices.repricings.queryKey();
  queryClient.setQueryData(queryKey, [order("b"), order("a", { finishedAtMs: 3 })]);
  const push = () =>
    takeRepricings([
      { type: "repricing.changed", repricing: order("b", { requests: 7, finishedAtMs: 9 }) },
      { type: "repricing.changed", repricing: order("c") },
    ]);
  const answer = [order("b", { requests: 2 }), order("a", { finishedAtMs: 3 })];
  expect(await answeredLate(queryKey, answer, push)).toMatchObject([
    { id: "c", requests: 0 },
    { id: "b", requests: 7, finishedAtMs: 9 },
    { id: "a", finishedAtMs: 3 },
  ]);
});
