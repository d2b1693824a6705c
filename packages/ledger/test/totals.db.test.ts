import { newId } from "@sluice/core/ids";
import { noUsage } from "@sluice/core/requests";
import { makeKey, makeUser, requestRow } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe("what a key has used in all", () => {
  it("stands with the key from its creation on, at nothing and never", async () => {
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

  it("begins with the first request where the key's row is missing, and ignores ids that are none", async () => {
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
