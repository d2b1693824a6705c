import { newId } from "@sluice/core/ids";
import type { RequestRow } from "@sluice/core/requests";
import type { Ctx } from "@sluice/services/context";
import { getLog } from "@sluice/services/logs/get-log";
import { readProviderSeries } from "@sluice/services/providers/read-provider-series";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { getSeries } from "@sluice/services/statistics/get-series";
import { getUsage } from "@sluice/services/statistics/get-usage";
import { getUserStats } from "@sluice/services/users/get-user-stats";
import { requestDetail, requestRow } from "@sluice/testing/factories";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let test: TestServices;
let admin: Ctx & { userId: string };
let user: Ctx & { userId: string };
beforeEach(async () => {
  test = await startServices();
  admin = await test.as("admin");
  user = await test.as("user");
});
afterEach(() => test?.close());

const sumOf = (values: readonly number[] = []) => values.reduce((sum, value) => sum + value, 0);

describe("what has just ended", () => {
  const asked = { step: "hour", by: "none" } as const;
  const ended = (fields: Partial<RequestRow>): RequestRow => {
    const nowMs = Date.now();
    const row = requestRow({ id: newId(), startedAtMs: nowMs - 5, durationMs: 5, ...fields });
    test.live.registry.finished(row, requestDetail({ id: row.id }));
    return row;
  };
  const settle = async (row: RequestRow) => {
    await test.settle(row);
    test.live.registry.settled([row.id]);
  };

  it("is settled before sums are read for the cache: every answer includes it", async () => {
    const row = ended({ userId: user.userId });
    const answers = Promise.all([getSeries(admin, asked), getUsage(user, {}), getLeaderboard(admin, { of: "models" }), getUserStats(user)]);
    setTimeout(() => void settle(row), 150);
    const [series, usage, leaderboard, stats] = await answers;
    expect(sumOf(series.series[0]?.requests)).toBe(1);
    expect(usage.totals.requests).toBe(1);
    expect(leaderboard.items).toMatchObject([{ requests: 1 }]);
    expect(stats.totalRequests).toBe(1);
  });

  it("is opened with its detail, even if only its row is here yet", async () => {
    const row = ended({});
    // As on another instance: the details of so many unsettled requests are not kept.
    for (let i = 0; i < 5_000; i++) ended({});
    expect(await test.live.registry.find(row.id)).toMatchObject({ detail: null });
    const opened = getLog(admin, { id: row.id });
    setTimeout(() => void settle(row), 150);
    expect(await opened).toMatchObject({ row: { id: row.id }, detail: { id: row.id } });
  });

  it("is listed where it is counted, to those who may see it; what cannot be settled is waited for a second and not counted", async () => {
    const [own, others] = [ended({ userId: user.userId }), ended({})];
    await Promise.all([settle(own), settle(others)]);
    const stuck = ended({ userId: user.userId, startedAtMs: Date.now() - 5_000 });
    const [ofAll, ofUser] = await Promise.all([getSeries(admin, asked), getUsage(user, {})]);
    expect(sumOf(ofAll.series[0]?.requests)).toBe(2);
    expect(ofAll.recent.ids.toSorted()).toEqual([own.id, others.id].toSorted());
    expect(ofUser.recent.ids).toEqual([own.id]);
    // A viewer that received the event of its end adds it.
    expect(ofUser.recent.fromMs).toBe(stuck.startedAtMs + 5);
  });

  it("is no longer listed once its end has surely been heard; a correction is recent when it is written", async () => {
    const long = { startedAtMs: Date.now() - 600_000, durationMs: 5 };
    const [past, correction] = [requestRow({ id: newId(), ...long }), requestRow({ id: newId(), ...long })];
    await test.settle(past, { ...correction, correctsId: past.id });
    const { recent } = await getSeries(admin, asked);
    expect(recent.ids).toEqual([correction.id]);
  });

  it("is listed by the series of providers where they count it, and not waited for there", async () => {
    const id = newId();
    const settled = requestRow({ id: newId(), providerId: id, startedAtMs: Date.now() - 5, durationMs: 5 });
    await test.settle(settled);
    const stuck = requestRow({ id: newId(), providerId: id, startedAtMs: Date.now() - 5_000, durationMs: 5 });
    test.live.registry.finished(stuck, requestDetail({ id: stuck.id }));
    const series = await readProviderSeries(admin);
    test.live.registry.settled([stuck.id]);
    const own = series?.providers.find(({ providerId }) => providerId === id);
    expect(own?.requests.reduce((sum, count) => sum + count, 0)).toBe(1);
    // A viewer that received the event of the other one's end adds it.
    expect(series?.recent).toEqual({ fromMs: stuck.startedAtMs + 5, ids: expect.arrayContaining([settled.id]) });
    expect(series?.recent.ids).not.toContain(stuck.id);
  });

  it("is in the series of a viewer who opens the page a moment after another one", async () => {
    const id = newId();
    const counts = async () => {
      const series = await readProviderSeries(admin);
      return sumOf(series?.providers.find(({ providerId }) => providerId === id)?.requests);
    };
    const row = () => ({ id: newId(), providerId: id, startedAtMs: Date.now() - 5, durationMs: 5 });
    await test.settle(row());
    expect(await counts()).toBe(1);
    await test.settle(row());
    expect(await counts()).toBe(2);
  });
});
