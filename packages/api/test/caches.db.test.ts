import type { Answer as Kept, Leaderboard, UserStats } from "@sluice/core/statistics";
import { settleBatch } from "@sluice/ledger/settle-batch";
import { warmCaches } from "@sluice/services/caches/warm-caches";
import { systemContext } from "@sluice/services/create-services";
import { until } from "@sluice/testing/deadline";
import { makeKey, requestDetail, requestRow, uniqueName } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { startTestRedis, type TestRedis } from "@sluice/testing/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, makePerson, signIn, startApi, type TestApi } from "./harness.ts";

let database: TestDatabase;
let redis: TestRedis;
let a: TestApi;
let b: TestApi;
let cookie: string;
let userId: string;
let keyId: string;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startTestRedis()]);
  const admin = await makePerson(database, "admin");
  const { key } = await makeKey(database.prisma);
  [userId, keyId] = [key.userId, key.id];
  const row = requestRow({ userId, keyId });
  await settleBatch(database.pool, [{ row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "7" }]);
  a = await startApi({ database, redisUrl: redis.url, name: "a" });
  b = await startApi({ database, redisUrl: redis.url, name: "b" });
  cookie = await signIn(a.url, admin.email);
});
afterAll(async () => {
  await Promise.all([a?.close(), b?.close()]);
  await redis?.stop();
  await database?.drop();
});

async function ask<T>(api: TestApi, path: string, input?: unknown): Promise<Kept<T>> {
  const { data, code } = await call(api.url, "query", path, input, { cookie });
  expect(code, path).toBe("");
  return data as Kept<T>;
}

async function change(api: TestApi, path: string, input: unknown): Promise<unknown> {
  const { data, code } = await call(api.url, "mutation", path, input, { cookie });
  expect(code, path).toBe("");
  return data;
}

const board = (api: TestApi) => ask<Leaderboard>(api, "statistics.leaderboard", { of: "keys", period: "all" });

describe("P40: what is changed on one instance", () => {
  it("appears in the next answer of the other: the new name of a key, and a revoked key is no longer ranked", async () => {
    const name = async () => (await board(b)).items.find(({ id }) => id === keyId)?.name;
    expect(await name()).toBeTruthy();
    expect((await board(b)).cache).toBe("hit");
    const renamed = uniqueName("renamed");
    await change(a, "keys.update", { id: keyId, name: renamed });
    await until(async () => (await name()) === renamed, { what: "the new name is shown", deadlineMs: 5_000 });
    await change(a, "keys.revoke", { id: keyId });
    await until(async () => (await name()) === undefined, { what: "the key is gone", deadlineMs: 5_000 });
    expect((await board(b)).revoked).toMatchObject({ keys: 1, requests: 1 });
  });
});

describe("W21: what is entered in an account", () => {
  it("is in the next reading of the user's figures, on either instance", async () => {
    const refunded = async (api: TestApi) => (await ask<UserStats>(api, "users.stats", { userId })).refundedNanoUsd;
    expect([await refunded(a), await refunded(b)]).toEqual(["0", "0"]);
    await change(a, "credits.refund", { userId, amountUsd: "0.5", reason: "Bad answer", idempotencyKey: uniqueName("refund") });
    expect(await refunded(a)).toBe("500000000");
    await until(async () => (await refunded(b)) === "500000000", { what: "the other instance shows it", deadlineMs: 5_000 });
  });
});

describe("P23: a hundred dashboards at once", () => {
  /** Number of latency queries so far. */
  async function reads(): Promise<number> {
    const { rows } = await database.pool.query<{ calls: string }>(
      `SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
       WHERE d.datname = current_database() AND s.query LIKE '%sketch%' AND s.query NOT LIKE '%pg_stat_statements%' AND s.query NOT LIKE '%INSERT%'`,
    );
    return Number(rows[0]?.calls);
  }

  it("cost what one costs, over both instances", async () => {
    const before = await reads();
    await ask(a, "overview.latency", { range: "24h" });
    const one = (await reads()) - before;
    expect(one).toBeGreaterThan(0);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(at % 2 ? a : b, "overview.latency", { range: "7d" })));
    expect((await reads()) - before).toBe(2 * one);
    expect(new Set(answers.map(({ asOf }) => asOf)).size).toBe(1);
  });
});

describe("P41: warm-up", () => {
  it("is done by one of two instances, and then the first dashboard is read from the cache", async () => {
    await a.services.cache.invalidateAll();
    const done = await Promise.all([a, b].map(({ services }) => warmCaches(systemContext(services, "boot"))));
    expect(done.filter((count) => count > 0)).toHaveLength(1);
    for (const api of [a, b]) {
      expect((await ask(api, "overview.latency", { range: "30d" })).cache).toBe("hit");
      expect((await ask(api, "statistics.filterOptions")).cache).toBe("hit");
    }
  });
});

describe("R16: a kind that is cleared", () => {
  it("is computed at its next reading everywhere, and the audit says who did it", async () => {
    expect((await board(b)).cache).toMatch(/hit|miss/);
    expect((await board(b)).cache).toBe("hit");
    const { cleared } = (await change(a, "caches.clear", { kind: "leaderboard" })) as { cleared: number };
    expect(cleared).toBeGreaterThan(0);
    expect((await board(a)).cache).toBe("miss");
    const entries = await ask<{ items: { action: string; targetId: string }[] }>(a, "audit.list", { filter: { targetKind: "cache" } });
    expect(entries.items).toMatchObject([{ action: "cache.clear", targetId: "leaderboard" }]);
  });
});

describe("P09: without Redis", () => {
  it("W19: every answer that is otherwise cached is given, marked as uncached, and equal", async () => {
    const asked = [
      ["overview.latency", { range: "24h" }],
      ["statistics.filterOptions", undefined],
      ["statistics.leaderboard", { of: "keys", period: "all" }],
      ["users.stats", { userId }],
    ] as const;
    const all = () => Promise.all(asked.map(([path, input]) => ask<object>(b, path, input)));
    const what = (answers: Kept<object>[]) => answers.map(({ asOf: _, cache: __, ...value }) => value);
    const before = await all();
    await redis.kill();
    await until(async () => (await all()).every(({ cache }) => cache === "bypass"), { what: "answers say so" });
    expect(what(await all())).toEqual(what(before));
    expect(b.services.cache.figures().leaderboard.bypasses).toBeGreaterThan(0);
    await redis.restart();
    await until(async () => (await all()).every(({ cache }) => cache === "hit"), { what: "it is used again", deadlineMs: 15_000 });
    expect(what(await all())).toEqual(what(before));
  });
});
