import { newId } from "@sluice/core/ids";
import { makeUser } from "@sluice/testing/factories";
import { createTestDatabase, type TestDatabase } from "@sluice/testing/postgres";
import { seededRandom } from "@sluice/testing/seeded-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findWrongBalances } from "../src/reconcile.ts";
import { settleBatch } from "../src/settle-batch.ts";
import { finishOf, randomFinish } from "./arrange.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

async function makePayer(billing: string, balanceNanoUsd: bigint): Promise<string> {
  const { id } = await makeUser(database.prisma);
  await database.prisma.accountEntry.create({
    data: { id: newId(), userId: id, kind: "top_up", amountNanoUsd: balanceNanoUsd, balanceNanoUsd, idempotencyKey: newId() },
  });
  await database.prisma.account.update({ where: { userId: id }, data: { billing, balanceNanoUsd } });
  return id;
}

const account = (userId: string) => database.prisma.account.findUniqueOrThrow({ where: { userId } });

describe("the row is the charge", () => {
  it("moves the balance of a prepaid user by what was inserted, once, however often it is sent", async () => {
    const userId = await makePayer("prepaid", 100n);
    const batch = [
      finishOf({ userId, costNanoUsd: "30" }),
      finishOf({ userId, costNanoUsd: "5" }),
      finishOf({ userId, costNanoUsd: null }),
    ];
    await settleBatch(database.pool, batch);
    await settleBatch(database.pool, batch);
    expect(await account(userId)).toMatchObject({ balanceNanoUsd: 65n, postpaidNanoUsd: 0n });
  });

  it("books what was admitted, also below zero", async () => {
    const userId = await makePayer("both", 10n);
    await settleBatch(database.pool, [finishOf({ userId, costNanoUsd: "30" })]);
    expect(await account(userId)).toMatchObject({ balanceNanoUsd: -20n });
  });

  it("leaves the balance of a postpaid user alone and counts what was used on these terms", async () => {
    const userId = await makePayer("postpaid", 10n);
    await settleBatch(database.pool, [finishOf({ userId, costNanoUsd: "30" })]);
    expect(await account(userId)).toMatchObject({ balanceNanoUsd: 10n, postpaidNanoUsd: 30n });
  });

  it("takes a correction's difference", async () => {
    const userId = await makePayer("prepaid", 100n);
    const original = finishOf({ userId, costNanoUsd: "30" });
    const row = { ...original.row, id: newId(), correctsId: original.row.id, costNanoUsd: "-10" };
    await settleBatch(database.pool, [original, { ...original, row, detail: { ...original.detail, id: row.id } }]);
    expect(await account(userId)).toMatchObject({ balanceNanoUsd: 80n });
  });

  it("creates a postpaid account where there is none, and ignores ids that are not ours", async () => {
    const userId = newId();
    await settleBatch(database.pool, [finishOf({ userId, costNanoUsd: "7" }), finishOf({ userId: "user-1" }), finishOf({ userId: "" })]);
    expect(await account(userId)).toMatchObject({ billing: "postpaid", balanceNanoUsd: 0n, postpaidNanoUsd: 7n });
  });
});

describe("I3 opening + entries - ledger = balance", () => {
  it("holds for 100 users of all modes while batches overlap, and a wrong balance is found", async () => {
    const modes = ["prepaid", "postpaid", "both"];
    const users = await Promise.all(Array.from({ length: 100 }, (_, index) => makePayer(modes[index % 3] ?? "", 1_000_000n)));
    const random = seededRandom(7);
    const batches = Array.from({ length: 12 }, () =>
      Array.from({ length: 80 }, () => {
        const finish = randomFinish(random);
        finish.row.userId = users[Math.floor(random() * users.length)] ?? "";
        return finish;
      }),
    );
    // Every batch twice, and all concurrently: a replay does not charge again.
    await Promise.all([...batches, ...batches].map((batch) => settleBatch(database.pool, batch)));
    expect(await findWrongBalances(database.pool)).toEqual([]);
    const [userId = ""] = users;
    await database.prisma.account.update({ where: { userId }, data: { balanceNanoUsd: { increment: 1n } } });
    expect(await findWrongBalances(database.pool)).toMatchObject([{ invariant: "I3", id: userId }]);
    await database.prisma.account.update({ where: { userId }, data: { balanceNanoUsd: { decrement: 1n } } });
  });
});
