import type { LiveEvent } from "@sluice/core/events";
import type { RequestRow } from "@sluice/core/requests";
import { expect, it } from "vitest";
import { createProviderSeries } from "./provider-series.ts";

const BUCKET = 300_000;
const NOW = 40 * BUCKET;
const ended = (id: string, startedAtMs = NOW): LiveEvent => ({
  type: "request.finished",
  rev: 1,
  row: { id, providerId: "p", startedAtMs, durationMs: 5, ttftMs: 3, state: "done", status: 200, correctsId: null } as RequestRow,
});

/** The reading: five requests in the current bucket, including the recent ones. */
const read = (ids: string[], fromMs = NOW - 2_000) => {
  const last = (value: number): number[] => [...new Array<number>(35).fill(0), value];
  const providers = [{ providerId: "p", requests: last(5), errors: last(0), ttftMs: last(15), ttfts: last(5) }];
  return { fromMs: 5 * BUCKET, bucketMs: BUCKET, providers, recent: { fromMs, ids } };
};

function open() {
  const board = createProviderSeries(() => NOW);
  return { board, now: () => board.get().byProvider.get("p")?.requests.at(-1) };
}

it("keeps events that arrived before the list was read and are not in it", () => {
  const { board, now } = open();
  board.push([ended("settled"), ended("unsettled")]);
  board.load(read(["settled"]));
  expect(now()).toBe(6);
  expect(board.get().byProvider.get("p")).toMatchObject({ ttfts: expect.arrayContaining([6]), ttftMs: expect.arrayContaining([18]) });
});

it("counts events after the list once, and none that the list includes", () => {
  const { board, now } = open();
  board.load(read(["replayed"]));
  board.push([ended("replayed"), ended("settled long since", NOW - 10_000), ended("next"), ended("next")]);
  board.push([ended("next")]);
  expect(now()).toBe(6);
  board.load(read(["replayed", "next"]));
  expect(now()).toBe(5);
});
