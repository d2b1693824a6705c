import type { LiveEvent } from "@sluice/core/events";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { expect, it, vi } from "vitest";
import { createUsageBoard } from "./usage-board.ts";

const nothing = { requests: 0, totalTokens: 0, costNanoUsd: "0", lastUsedAtMs: null };
const ended = (id: string, fields: Partial<RequestRow> = {}): LiveEvent => ({
  type: "request.finished",
  rev: 1,
  row: {
    id,
    keyId: "k",
    userId: "u",
    usage: { ...noUsage, input: 10, cacheRead: 5 },
    costNanoUsd: "7",
    startedAtMs: 100,
    ...fields,
  } as RequestRow,
});

const noneSince = (fromMs: number) => ({ fromMs, ids: [] });

it("moves a key and its owner with each request that ends, once", () => {
  const board = createUsageBoard(() => 0);
  const totals = { requests: 2, totalTokens: 20, costNanoUsd: "9007199254740993", lastUsedAtMs: 500 };
  board.load({ items: [{ id: "k", totals }], recent: noneSince(50) });
  board.load({ items: [{ id: "u", totals: nothing }], recent: noneSince(50) });
  const listener = vi.fn();
  board.onChange("k", listener);
  board.push([ended("r1"), ended("r1"), { ...ended("r2", { costNanoUsd: null, startedAtMs: 900 }), type: "request.refused" } as LiveEvent]);
  board.push([ended("r1"), { ...ended("r3"), type: "request.progressed" } as LiveEvent]);
  expect(board.get("k")).toEqual({ requests: 4, totalTokens: 50, costNanoUsd: "9007199254741000", lastUsedAtMs: 900 });
  expect(board.get("u")).toEqual({ requests: 2, totalTokens: 30, costNanoUsd: "7", lastUsedAtMs: 900 });
  expect(listener).toHaveBeenCalledTimes(2);
});

it("keeps pushed figures when an older list arrives, and takes those of a newer one", () => {
  const board = createUsageBoard(() => 0);
  board.load({ items: [{ id: "k", totals: nothing }], recent: noneSince(50) });
  board.push([ended("r1")]);
  board.load({ items: [{ id: "k", totals: nothing }, { id: "without" }], recent: noneSince(60) });
  expect(board.get("k")?.requests).toBe(1);
  board.load({ items: [{ id: "k", totals: { ...nothing, requests: 3, totalTokens: 45 } }], recent: { fromMs: 70, ids: ["r1"] } });
  expect(board.get("k")).toMatchObject({ requests: 3, totalTokens: 45 });
  expect(board.get("without")).toBeUndefined();
});

it("counts each event once, whether it came before or after the list, is listed by it, or is much older", () => {
  const board = createUsageBoard(() => 0);
  board.push([ended("named"), ended("unsettled", { startedAtMs: 90, durationMs: 20 })]);
  board.load({ items: [{ id: "k", totals: { ...nothing, requests: 5 } }], recent: { fromMs: 100, ids: ["named", "replayed"] } });
  expect(board.get("k")?.requests).toBe(6);
  board.push([ended("replayed"), ended("settled long since", { startedAtMs: 50, durationMs: 20 }), ended("next")]);
  expect(board.get("k")?.requests).toBe(7);
});

it("ignores a list that is shown again, or that a later one overtook", () => {
  const board = createUsageBoard(() => 0);
  const list = { items: [{ id: "k", totals: { ...nothing, requests: 5 } }], recent: { fromMs: 100, ids: ["r1"] } };
  board.load(list);
  board.load({ items: [{ id: "k", totals: { ...nothing, requests: 9 } }], recent: noneSince(8_000) });
  board.load(list);
  expect(board.get("k")?.requests).toBe(9);
});
