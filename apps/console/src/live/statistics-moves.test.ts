import { FINAL_REV, type LiveEvent } from "@sluice/core/events";
import { noSums } from "@sluice/core/overview";
import type { RequestRow } from "@sluice/core/requests";
import type { Statistics } from "@sluice/core/statistics";
import { zeroStatisticsColumns } from "@sluice/core/statistics-columns";
import { requestRow } from "@sluice/testing/factories";
import { expect, it } from "vitest";
import { createEndedRows, uncounted } from "./ended-rows.ts";
import { moveSeries, moveTotals } from "./statistics-moves.ts";

const MINUTE = 60_000;
const buckets = { zone: "UTC", step: "5m", times: [0, 5 * MINUTE], endMs: 10 * MINUTE } as const;
const row = (fields: Partial<RequestRow>): RequestRow =>
  requestRow({ state: "done", status: 200, startedAtMs: MINUTE, durationMs: 500, ttftMs: 100, costNanoUsd: "7", model: "a", ...fields });
const finished = (one: RequestRow): LiveEvent => ({ type: "request.finished", rev: FINAL_REV, row: one });

it("adds what an answer does not include, once, to its bucket and series, and nothing else", () => {
  const ended = createEndedRows(() => 0);
  const one = row({ startedAtMs: 6 * MINUTE });
  const rows = [one, one, row({ model: "b" }), row({ model: "c", userId: "other" }), row({ startedAtMs: 11 * MINUTE })];
  ended.push(rows.map(finished));
  const statistics: Statistics = {
    ...{ ...buckets, times: [...buckets.times], by: "model", recent: { fromMs: MINUTE, ids: [] } },
    series: [
      { id: "a", ...zeroStatisticsColumns(2) },
      { id: null, ...zeroStatisticsColumns(2) },
    ],
  };
  const heard = uncounted(ended.list(), statistics.recent);
  const moved = moveSeries(statistics, heard, { userId: one.userId });
  expect(moved.series.map(({ id, requests, costNanoUsd }) => ({ id, requests, costNanoUsd }))).toEqual([
    { id: "a", requests: [0, 1], costNanoUsd: ["0", "7"] },
    { id: null, requests: [1, 0], costNanoUsd: ["7", "0"] },
  ]);
  expect(statistics.series[0]?.requests).toEqual([0, 0]);
  expect(moveSeries(statistics, uncounted(ended.list(), { fromMs: 6 * MINUTE + 501, ids: [] }), { userId: one.userId })).toBe(statistics);
  // Events do not carry tags, so a reading by tag does not move.
  expect(moveSeries(statistics, heard, { tag: "x" })).toBe(statistics);
});

it("does not add what an answer includes, whenever it ended, nor what it must include because it ended long before", () => {
  const [counted, settledLate, before] = [row({}), row({}), row({ startedAtMs: 0, durationMs: 10 })];
  const ended = createEndedRows(() => 2 * MINUTE);
  const correction = row({ correctsId: before.id, startedAtMs: 0 });
  ended.push([...[counted, settledLate, before].map(finished), { type: "request.corrected", rev: FINAL_REV + 1, row: before, correction }]);
  const idsOf = (ids: string[]) => uncounted(ended.list(), { fromMs: MINUTE, ids }).map(({ id }) => id);
  expect(idsOf([counted.id])).toEqual([settledLate.id, correction.id]);
  expect(idsOf([counted.id, settledLate.id, correction.id])).toEqual([]);
});

it("totals add the sums of requests that ended; corrections add only tokens and cost", () => {
  const totals = { ...noSums, aborted: 0, refused: 0 };
  const usage = {
    ...buckets,
    times: [...buckets.times],
    totals,
    previous: { fromMs: 0, toMs: 0, totals },
    trend: zeroStatisticsColumns(2),
    recent: { fromMs: 0, ids: [] },
  };
  const aborted = row({ state: "aborted", status: 0, ttftMs: null });
  const correction = row({ correctsId: aborted.id, costNanoUsd: "-3" });
  expect(moveTotals(usage, [aborted, correction], {})).toMatchObject({
    requests: 1,
    aborted: 1,
    refused: 0,
    costNanoUsd: "4",
    ttftCount: 0,
  });
});
