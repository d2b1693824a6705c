import { newId } from "@sluice/core/ids";
import { noUsage } from "@sluice/core/requests";
import { makeKey, makeUser, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completeKeyMonths } from "../src/key-months.ts";
import { recentRanges } from "../src/recent-columns.ts";
import { moveRecentTotals } from "../src/recent-totals.ts";
import { findWrongSums, findWrongTotals } from "../src/reconcile.ts";
import { settleBatch } from "../src/settle-batch.ts";
import { finishOf } from "./arrange.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

async function totals(keyId: string) {
  return database.prisma.keyTotals.findUniqueOrThrow({ where: { keyId } });
}

describe("a key's total usage", () => {
  it("exists from the key's creation on, as zero and never used", async () => {
    const { key } = await makeKey(database.prisma);
    expect(await totals(key.id)).toMatchObject({ userId: key.userId, requests: 0n, totalTokens: 0n, lastUsedAt: new Date(0) });
    expect(await database.prisma.userTotals.count({ where: { userId: key.userId } })).toBe(1);
  });

  it("moves with what is settled, once, however often it is sent", async () => {
    const { key } = await makeKey(database.prisma);
    const other = await makeKey(database.prisma, { userId: key.userId });
    const startedAtMs = Date.now() - 5_000;
    const usage = { ...noUsage, input: 100, output: 20, cacheRead: 3 };
    const own = [startedAtMs, startedAtMs - 1_000].map((at) =>
      finishOf({ keyId: key.id, userId: key.userId, usage, costNanoUsd: "7", startedAtMs: at }),
    );
    const refused = finishOf({ keyId: key.id, userId: key.userId, usage: noUsage, state: "refused", costNanoUsd: "0", startedAtMs });
    const batch = [...own, refused, finishOf({ keyId: other.key.id, userId: key.userId, usage, costNanoUsd: null })];
    await settleBatch(database.pool, batch);
    const moved = { requests: 3n, totalTokens: 246n, costNanoUsd: 14n, lastUsedAt: new Date(startedAtMs) };
    expect(await totals(key.id)).toMatchObject(moved);
    await settleBatch(database.pool, batch);
    await settleBatch(database.pool, [...own, finishOf({ keyId: other.key.id, userId: key.userId, usage, costNanoUsd: "1" })]);
    expect(await totals(key.id)).toMatchObject(moved);
    expect(await totals(other.key.id)).toMatchObject({ requests: 2n, totalTokens: 246n, costNanoUsd: 1n });
    expect(await database.prisma.userTotals.findUniqueOrThrow({ where: { userId: key.userId } })).toMatchObject({
      requests: 5n,
      totalTokens: 492n,
      costNanoUsd: 15n,
    });
  });

  it("takes a correction's difference, and no further request", async () => {
    const { key } = await makeKey(database.prisma);
    const original = finishOf({ keyId: key.id, userId: key.userId });
    await settleBatch(database.pool, [original]);
    const row = requestRow({
      ...original.row,
      id: newId(),
      correctsId: original.row.id,
      usage: { ...noUsage, output: -5 },
      costNanoUsd: "-10",
    });
    await settleBatch(database.pool, [{ ...original, row, detail: { ...original.detail, id: row.id } }]);
    expect(await totals(key.id)).toMatchObject({ requests: 1n, totalTokens: 115n, costNanoUsd: 139_990n });
  });

  it("starts with the first request where the key's row is missing, and ignores ids that are not ours", async () => {
    const user = await makeUser(database.prisma);
    const keyId = newId();
    await settleBatch(database.pool, [
      finishOf({ keyId, userId: user.id }),
      finishOf({ keyId: "", userId: "" }),
      finishOf({ keyId: "", userId: user.id }),
      finishOf({ keyId: "key-1", userId: "user-1" }),
      finishOf({ keyId: newId(), userId: "user-1" }),
    ]);
    expect(await totals(keyId)).toMatchObject({ requests: 1n, userId: user.id });
    expect(await database.prisma.userTotals.findUniqueOrThrow({ where: { userId: user.id } })).toMatchObject({ requests: 2n });
  });
});

describe("a key's recent usage", () => {
  const HOUR = 3_600_000;

  it("is what began since a point in time, wherever that moves, including late rows and corrections", async () => {
    const { key } = await makeKey(database.prisma);
    const hour = Math.floor(Date.now() / HOUR) * HOUR;
    // The database is a copy of a template that may be days old.
    for (const [range, hours] of [
      ["24h", 24],
      ["7d", 7 * 24],
      ["30d", 30 * 24],
    ] as const)
      await moveRecentTotals(database.pool, range, hour - hours * HOUR);
    const usage = { ...noUsage, input: 10 };
    const at = (hoursAgo: number, state: "done" | "error" = "done") =>
      finishOf({
        keyId: key.id,
        userId: key.userId,
        usage,
        state,
        status: state === "error" ? 502 : 200,
        costNanoUsd: "5",
        startedAtMs: hour - hoursAgo * HOUR + 1,
      });
    await settleBatch(database.pool, [at(1), at(30, "error"), at(31), at(40 * 24)]);
    const lately = async () => {
      const { requests24h, requests7d, errors7d, requests30d, costNanoUsd30d, tokens30d } = await totals(key.id);
      return [requests24h, requests7d, errors7d, requests30d, costNanoUsd30d, tokens30d].map(Number);
    };
    expect(await lately()).toEqual([1, 3, 1, 3, 15, 30]);
    expect(await moveRecentTotals(database.pool, "7d", hour - 30 * HOUR)).toBe(true);
    expect(await moveRecentTotals(database.pool, "7d", hour - 30 * HOUR)).toBe(false);
    expect(await lately()).toEqual([1, 2, 1, 3, 15, 30]);
    await moveRecentTotals(database.pool, "30d", hour - 50 * 24 * HOUR);
    expect(await lately()).toEqual([1, 2, 1, 4, 20, 40]);

    const late = at(29);
    const corrected = at(30);
    const row = requestRow({ ...corrected.row, id: newId(), correctsId: corrected.row.id, usage: noUsage, costNanoUsd: "-5" });
    await settleBatch(database.pool, [late, corrected]);
    await settleBatch(database.pool, [{ ...corrected, row, detail: { ...corrected.detail, id: row.id } }, late]);
    expect(await lately()).toEqual([1, 4, 1, 6, 25, 60]);
    expect(await findWrongTotals(database.pool)).toEqual([]);
    await database.pool.query("UPDATE key_totals SET errors_7d = 7 WHERE key_id = $1", [key.id]);
    expect((await findWrongTotals(database.pool)).map(({ id }) => id)).toEqual([key.id]);
    for (const range of recentRanges) await moveRecentTotals(database.pool, range, hour);
    expect(await lately()).toEqual([0, 0, 6, 0, 0, 0]);
  });
});

describe("a key's usage in a month", () => {
  const DAY = 86_400_000;

  it("is the sum of its days, with late rows and corrections; what an older version settled meanwhile is summed again", async () => {
    const { pool } = database;
    const { key } = await makeKey(database.prisma);
    const of = (daysAgo: number, fields: Parameters<typeof finishOf>[0] = {}) =>
      finishOf({ keyId: key.id, userId: key.userId, startedAtMs: Date.now() - daysAgo * DAY, costNanoUsd: "5", ...fields });
    const months = async () => {
      const { rows } = await pool.query(
        "SELECT requests::int, cost_nano_usd::int AS cost FROM key_months WHERE key_id = $1 ORDER BY bucket",
        [key.id],
      );
      return rows.reduce((sum, row) => [sum[0] + row.requests, sum[1] + row.cost], [0, 0]);
    };
    // Ignores what earlier tests did to other totals.
    const wrongMonths = async () => (await findWrongTotals(pool)).filter(({ what }) => what.startsWith("key_months"));
    const original = of(40);
    await settleBatch(pool, [of(0), of(1, { state: "aborted", status: 0 }), original]);
    const row = requestRow({ ...original.row, id: newId(), correctsId: original.row.id, usage: noUsage, costNanoUsd: "-2" });
    await settleBatch(pool, [{ ...original, row, detail: { ...original.detail, id: row.id } }]);
    expect([await months(), await wrongMonths(), await findWrongSums(pool)]).toEqual([[3, 13], [], []]);
    await completeKeyMonths(pool);
    expect(await completeKeyMonths(pool)).toBe(0);

    // An older process updates the days, but not all of their sums.
    await pool.query("CREATE TABLE kept AS TABLE key_months; CREATE TABLE kept_sums AS SELECT * FROM usage_sums WHERE grain = 'month'");
    await settleBatch(pool, [of(0, { durationMs: 77 }), of(40, { state: "aborted", status: 0 })]);
    await pool.query(`TRUNCATE key_months; INSERT INTO key_months TABLE kept;
      DELETE FROM usage_sums WHERE grain = 'month'; INSERT INTO usage_sums TABLE kept_sums;
      UPDATE key_days SET duration_ms_sum = 0, aborted_requests = 0, measured_requests = measured_requests - 1 WHERE key_id = '${key.id}' AND requests > 1`);
    expect(await months()).toEqual([3, 13]);
    expect((await findWrongSums(pool)).map(({ what }) => what).join()).toContain("key_days");
    expect(await completeKeyMonths(pool)).toBe(2);
    expect([await months(), await wrongMonths(), await findWrongSums(pool), await completeKeyMonths(pool)]).toEqual([[5, 23], [], [], 0]);
  });
});
