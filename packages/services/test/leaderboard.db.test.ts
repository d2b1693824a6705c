import type { RequestRow } from "@sluice/core/requests";
import type { Ctx } from "@sluice/services/context";
import { revokeKey } from "@sluice/services/keys/revoke-key";
import { updateSettings } from "@sluice/services/settings/update-settings";
import { getLeaderboard } from "@sluice/services/statistics/get-leaderboard";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let test: TestServices;
let admin: Ctx & { userId: string };
let user: Ctx & { userId: string };
beforeEach(async () => {
  test = await startServices();
  admin = await test.as("admin");
  user = await test.as("user");
});
afterEach(() => test?.close());

describe("H07: leaderboard", () => {
  const usageOf = (input: number) => ({ input, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 });

  /** The first one has the most tokens and costs the least. */
  async function fifteen(): Promise<string[]> {
    const keys = await test.makeKeys(15, user.userId);
    await test.settle(
      ...keys.map((keyId, at) => ({ userId: user.userId, keyId, costNanoUsd: String(100 + at), usage: usageOf(1_000 - at) })),
    );
    return keys;
  }

  it("P20: of fifteen keys the page has ten, ranked from 1, of fifteen", async () => {
    const keys = await fifteen();
    const board = await getLeaderboard(admin, { of: "keys", sort: "tokens", period: "today" });
    expect(board).toMatchObject({ total: 15, totalPages: 2, hasNext: true });
    expect(board.items.map(({ rank, id }) => [rank, id])).toEqual(keys.slice(0, 10).map((id, at) => [at + 1, id]));
    expect(board.items[0]?.share).toBeCloseTo(1_000 / (15 * 1_000 - 105));
    const last = await getLeaderboard(admin, { of: "keys", sort: "tokens", period: "all", page: 2 });
    expect([last.items.map(({ rank }) => rank), last.hasNext]).toEqual([[11, 12, 13, 14, 15], false]);
    expect(await getLeaderboard(admin, { of: "keys", page: 9 })).toMatchObject({ items: [], total: 15 });
    await expect(getLeaderboard(user, { of: "providers" })).rejects.toMatchObject({ code: "forbidden" });
  });

  it("P40: a revoked key is no longer ranked, and its usage is reported beside the others, so that the total is what was billed", async () => {
    const [first = "", second = "", ...others] = await fifteen();
    await revokeKey(admin, { id: first });
    await revokeKey(admin, { id: second });
    for (const period of ["today", "all"] as const) {
      const board = await getLeaderboard(admin, { of: "keys", sort: "tokens", period });
      expect(board.items.map(({ rank, id }) => [rank, id])).toEqual(others.slice(0, 10).map((id, at) => [at + 1, id]));
      expect(board).toMatchObject({ total: 13, totalPages: 2 });
      expect(board.revoked).toMatchObject({ keys: 2, requests: 2, errors: 0, tokens: 1_999, costNanoUsd: "201" });
      expect(board.revoked?.share).toBeCloseTo(1_999 / (15 * 1_000 - 105));
      expect(board.items[0]?.share).toBeCloseTo(998 / (15 * 1_000 - 105));
    }
    for (const key of others) await revokeKey(admin, { id: key });
    const none = await getLeaderboard(user, { of: "keys", period: "all" });
    expect(none).toMatchObject({ items: [], total: 0, revoked: { keys: 15, share: 1 } });
    expect((await getLeaderboard(admin, { of: "users", period: "all" })).revoked).toBeNull();
  });

  it("of users tells a user their own place, and of the others what the setting allows", async () => {
    const [[mine = ""], [theirs = ""]] = [await test.makeKeys(1, user.userId), await test.makeKeys(1, admin.userId)];
    await test.settle({ userId: user.userId, keyId: mine, costNanoUsd: "5" }, { userId: admin.userId, keyId: theirs, costNanoUsd: "7" });
    const ranks = async (visibility?: "own" | "names") => {
      if (visibility) await updateSettings(admin, { "portal.leaderboard": visibility });
      const { items } = await getLeaderboard(user, { of: "users", period: "custom", from: Date.now() - HOUR_MS, to: Date.now() + HOUR_MS });
      return items.map(({ id, name }) => [id, name !== null]);
    };
    expect(await ranks()).toEqual([
      ["", false],
      [user.userId, true],
    ]);
    expect(await ranks("names")).toEqual([
      ["", true],
      [user.userId, true],
    ]);
    expect(await ranks("own")).toEqual([[user.userId, true]]);
  });

  it("P21: each sort is a separate answer, in its own order", async () => {
    const keys = await fifteen();
    const read = (sort: "tokens" | "cost") => getLeaderboard(admin, { of: "keys", sort, period: "today" });
    const byTokens = await read("tokens");
    expect(byTokens.items.map(({ id }) => id)).toEqual(keys.slice(0, 10));
    const byCost = await read("cost");
    expect([byCost.cache, byCost.items.map(({ id }) => id)]).toEqual(["miss", keys.slice(5).reverse()]);
    expect(await read("tokens")).toEqual({ ...byTokens, cache: "hit" });
  });

  it("a period that is too long is refused before its days are listed: one in microseconds exhausted the memory", async () => {
    const [now, year] = [Date.now(), 366 * DAY_MS];
    for (const to of [now + 1_000 * year, now * 1_000])
      await expect(getLeaderboard(user, { of: "keys", period: "custom", from: now, to })).rejects.toMatchObject({
        ...{ code: "invalid_request", field: "to" },
      });
    expect(await getLeaderboard(user, { of: "keys", period: "custom", from: 0, to: now })).toMatchObject({ items: [] });
  });

  it("ranks by rates and times too, and tells the rank of the period before", async () => {
    const [quick = "", good = "", cached = ""] = await test.makeKeys(3, user.userId);
    const row = (keyId: string, fields: Partial<RequestRow>) => ({ userId: user.userId, keyId, ...fields });
    const usage = { input: 100, output: 1, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 };
    await test.settle(
      row(quick, { ttftMs: 10, state: "error", status: 502, usage }),
      row(good, { ttftMs: 900, usage }),
      // Aborted and refused requests do not count as failures.
      row(good, { state: "aborted", status: 0, ttftMs: null, usage }),
      row(cached, { ttftMs: 500, usage: { ...usage, cacheRead: 300 } }),
      row(cached, { ttftMs: 500, state: "error", status: 500, usage }),
      row(good, { startedAtMs: Date.now() - DAY_MS, costNanoUsd: "900" }),
    );
    const first = async (sort: "ttft" | "successRate" | "cacheHitRate", period: "all" | "custom" = "custom") => {
      const range = { from: Date.now() - HOUR_MS, to: Date.now() + HOUR_MS };
      return (await getLeaderboard(admin, { of: "keys", sort, period, ...(period === "custom" && range) })).items[0];
    };
    for (const period of ["all", "custom"] as const) {
      expect(await first("ttft", period)).toMatchObject({ id: quick, share: null, rates: { ttftMs: 10, successRate: 0 } });
      expect(await first("successRate", period)).toMatchObject({ id: good, rates: { successRate: 1 } });
      expect(await first("cacheHitRate", period)).toMatchObject({ id: cached, rates: { cacheHitRate: 0.6, successRate: 0.5 } });
    }
    const today = await getLeaderboard(admin, {
      of: "keys",
      sort: "requests",
      period: "custom",
      from: Date.now() - 12 * HOUR_MS,
      to: Date.now() + HOUR_MS,
    });
    expect(today.items.map(({ id, previousRank }) => [id, previousRank])).toContainEqual([quick, null]);
    const ofDay = await getLeaderboard(admin, {
      of: "keys",
      sort: "cost",
      period: "custom",
      from: Date.now() - 20 * HOUR_MS,
      to: Date.now() + HOUR_MS,
    });
    expect(ofDay.items.find(({ id }) => id === good)?.previousRank).toBe(1);
  });
});
