import type { LiveEvent } from "@sluice/core/events";
import { firstIdAt } from "@sluice/core/ids";
import { noUsage, type RequestRow } from "@sluice/core/requests";
import { expect, it } from "vitest";
import { createLogHistogram, type HistogramAnswer } from "./log-histogram.ts";

const STEP = 300_000;
const answer: HistogramAnswer = {
  fromMs: 0,
  toMs: 3 * STEP,
  stepMs: STEP,
  buckets: [{ atMs: STEP, counts: { "2xx": 4, "5xx": 1 } }],
  unanswered: [],
  countedIds: [],
  busId: "",
  serverNowMs: 2 * STEP,
};

function end(atMs: number, fields: Partial<RequestRow> = {}): LiveEvent {
  const row: RequestRow = {
    ...{ id: firstIdAt(atMs), tenantId: "default", userId: "u", keyId: "k", sessionId: "", providerId: "p", group: "default" },
    ...{ dialect: "openai", endpoint: "chat", stream: false, model: "m", upstreamModel: "", state: "done", status: 200 },
    ...{ errorCode: "", attempts: 1, usage: noUsage, flags: [], costNanoUsd: null, billable: true, startedAtMs: atMs },
    ...{ ttftMs: null, durationMs: 1, client: "", correctsId: null },
    ...fields,
  };
  return { type: row.state === "refused" ? "request.refused" : "request.finished", rev: 1, row };
}

it("counts each pushed end once, into the bucket it started in", () => {
  const histogram = createLogHistogram(answer, {});
  expect(histogram.push([end(2 * STEP + 5), end(2 * STEP + 5), end(5, { state: "refused", status: 429 })])).toBe(true);
  expect(histogram.push([end(2 * STEP + 5)])).toBe(false);
  const { buckets, totals, total } = histogram.view(3 * STEP - 1);
  expect(buckets.map(({ counts }) => counts)).toEqual([{ refused: 1 }, { "2xx": 4, "5xx": 1 }, { "2xx": 1 }]);
  expect(totals).toEqual({ "2xx": 5, "5xx": 1, refused: 1 });
  expect(total).toBe(7);
});

it("passes over what the sums hold already and what the filter leaves out", () => {
  const histogram = createLogHistogram({ ...answer, countedIds: [firstIdAt(7)] }, { notModel: ["other"] });
  expect(histogram.push([end(7), end(8, { model: "other" })])).toBe(false);
});

it("on a replay, ignores requests that ended before the sums were read, but not those that ended after", () => {
  const histogram = createLogHistogram(answer, {});
  expect(histogram.push([end(2 * STEP - 9_000), end(2 * STEP + 5)], true)).toBe(true);
  expect(histogram.view(3 * STEP - 1).totals).toEqual({ "2xx": 5, "5xx": 1 });
  // Requests that a dead process left behind are reported late and are in no earlier sum.
  expect(histogram.push([end(2 * STEP - 9_000)])).toBe(true);
});

it("moves on with time, unless the range has an end", () => {
  const live = createLogHistogram(answer, {});
  live.push([end(3 * STEP + 1)]);
  const view = live.view(3 * STEP + 2);
  expect([view.fromMs, view.toMs]).toEqual([STEP, 4 * STEP]);
  expect(view.buckets.at(-1)?.counts).toEqual({ "2xx": 1 });
  const history = createLogHistogram(answer, { toMs: 3 * STEP });
  expect(history.push([end(3 * STEP + 1)])).toBe(false);
  expect(history.view(9 * STEP).toMs).toBe(3 * STEP);
});
