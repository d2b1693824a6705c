import type { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { findWrongBalances } from "@sluice/ledger/reconcile";
import { settleBatch } from "@sluice/ledger/settle-batch";
import type { Ctx } from "@sluice/services/context";
import { adjustCredit, refundCredit, topUp } from "@sluice/services/credits/add-entry";
import { getAccount } from "@sluice/services/credits/get-account";
import { holdCredit, releaseHold, settleHold } from "@sluice/services/credits/holds";
import { listEntries } from "@sluice/services/credits/list-entries";
import { updateAccount } from "@sluice/services/credits/update-account";
import { withTransaction } from "@sluice/services/transaction";
import { listUsers } from "@sluice/services/users/list-users";
import { makeRequestRow, makeUser, requestDetail, requestRow } from "@sluice/testing/factories";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let admin: Ctx & { userId: string };
beforeAll(async () => {
  world = await startServices();
  admin = await world.as("admin");
});
afterAll(() => world?.close());

/** A prepaid user with that credit. */
async function makePayer(usd = "10"): Promise<string> {
  const { id: userId } = await makeUser(world.database.prisma);
  await world.database.prisma.account.update({ where: { userId }, data: { billing: "prepaid" } });
  if (usd !== "0") await topUp(admin, { userId, amountUsd: usd, reason: "Invoice", idempotencyKey: newId() });
  return userId;
}

/** Many prepaid users with the same credit. */
async function makePayers(count: number, nanoUsd: bigint): Promise<string[]> {
  const { prisma } = world.database;
  const users = Array.from({ length: count }, () => newId());
  await prisma.user.createMany({ data: users.map((id) => ({ id, email: `${id}@example.test`, name: id })) });
  await prisma.account.updateMany({ where: { userId: { in: users } }, data: { billing: "prepaid", balanceNanoUsd: nanoUsd } });
  await prisma.accountEntry.createMany({
    data: users.map((userId) => ({ id: newId(), userId, kind: "top_up", amountNanoUsd: nanoUsd, balanceNanoUsd: nanoUsd })),
  });
  return users;
}

const USD = 1_000_000_000n;
const task = (id = newId()) => ({ kind: "task", id });
const hold = (userId: string, amountNanoUsd: bigint, reference = task()) =>
  withTransaction(admin, (ctx) => holdCredit(ctx, { userId, amountNanoUsd, reference }));
const settle = (reference: { kind: string; id: string }, amount: bigint) =>
  withTransaction(admin, (ctx) => settleHold(ctx, reference, amount));
const release = (reference: { kind: string; id: string }) => withTransaction(admin, (ctx) => releaseHold(ctx, reference));
const entriesOf = async (userId: string) => (await listEntries(admin, { filter: { userId }, limit: 200 })).items;

describe("entries by hand", () => {
  it("move the balance, name author and reason, are audited and pushed", async () => {
    const userId = await makePayer("10");
    await updateAccount(admin, { userId, billing: "both" });
    const events = await world.eventsOf(async () => {
      await adjustCredit(admin, { userId, amountUsd: "-2.5", reason: "Counted twice", idempotencyKey: newId() });
    });
    expect(events).toEqual([{ type: "credit.changed", id: userId, userId }]);
    const row = await makeRequestRow(world.database.pool, { userId });
    const refund = { userId, amountUsd: "0.000000001", reason: "Bad answer", idempotencyKey: newId(), requestId: row.id };
    expect(await refundCredit(admin, refund)).toMatchObject({
      kind: "refund",
      amountNanoUsd: "1",
      balanceNanoUsd: "7500000001",
      referenceId: row.id,
      actorId: admin.userId,
    });
    expect(await getAccount(admin, { userId })).toMatchObject({ billing: "both", balanceNanoUsd: "7500000001", heldNanoUsd: "0" });
    const audited = await world.database.prisma.auditEntry.findMany({ where: { targetId: userId }, orderBy: { id: "asc" } });
    expect(audited.map(({ action }) => action)).toEqual(["credit.topUp", "credit.updateAccount", "credit.adjust", "credit.refund"]);
    await expect(refundCredit(admin, { ...refund, idempotencyKey: newId(), requestId: newId() })).rejects.toMatchObject({
      code: "not_found",
      field: "requestId",
    });
  });

  it("never take the balance below its floor, which may be below zero; a postpaid user has none", async () => {
    const userId = await makePayer("1");
    const take = (amountUsd: string) => adjustCredit(admin, { userId, amountUsd, reason: "Correction", idempotencyKey: newId() });
    await expect(take("-1.000000001")).rejects.toMatchObject({
      code: "insufficient_credit",
      status: 402,
      message: "Not enough credit: $1 available, $1.000000001 needed.",
    });
    await take("-1");
    await updateAccount(admin, { userId, floorUsd: "-2" });
    await take("-2");
    await expect(take("-0.000000001")).rejects.toMatchObject({ code: "insufficient_credit" });
    await updateAccount(admin, { userId, billing: "postpaid" });
    expect(await take("-5")).toMatchObject({ balanceNanoUsd: (-7n * USD).toString() });
  });

  it("refuse invalid amounts, by field", async () => {
    const userId = await makePayer("0");
    const entry = { userId, reason: "x", idempotencyKey: newId() };
    for (const amountUsd of ["", "0", "-1", "1e3", "1.0000000001", "99999999", "NaN", "１"])
      await expect(topUp(admin, { ...entry, amountUsd }), amountUsd).rejects.toMatchObject({ code: "invalid_request", field: "amountUsd" });
    await expect(adjustCredit(admin, { ...entry, amountUsd: "0" })).rejects.toMatchObject({ field: "amountUsd" });
    await expect(topUp(admin, { ...entry, amountUsd: "1", reason: " " })).rejects.toMatchObject({ field: "reason" });
    expect(await entriesOf(userId)).toEqual([]);
  });

  it("reach the same account however its id is written: requests in flight keep their reservations, and additions are available at once", async () => {
    const userId = await makePayer("10");
    const entry = () => ({ userId: userId.toUpperCase(), reason: "Correction", idempotencyKey: newId() });
    const reserve = (usd: bigint) => world.credit.reserve(newId(), userId, Number(usd * USD));
    expect(await reserve(8n)).toBeNull();
    await expect(adjustCredit(admin, { ...entry(), amountUsd: "-5" })).rejects.toMatchObject({ code: "insufficient_credit" });
    expect(await adjustCredit(admin, { ...entry(), amountUsd: "-2" })).toMatchObject({ userId, balanceNanoUsd: "8000000000" });
    const events = await world.eventsOf(() => topUp(admin, { ...entry(), amountUsd: "10" }));
    expect(events).toEqual([{ type: "credit.changed", id: userId, userId }]);
    expect(await reserve(10n)).toBeNull();
  });

  it("cannot be changed or removed afterwards, by anybody", async () => {
    const userId = await makePayer();
    const { pool } = world.database;
    for (const sql of ["UPDATE account_entries SET amount_nano_usd = 1", "DELETE FROM account_entries", "TRUNCATE account_entries"])
      await expect(pool.query(sql), sql).rejects.toThrow(/forbidden/);
    expect(await entriesOf(userId)).toHaveLength(1);
  });
});

describe("I11 a top-up counts once", () => {
  it("however often, and however much at once, it is delivered", async () => {
    const userId = await makePayer("0");
    const delivery = { userId, amountUsd: "25", reason: "Invoice 7", idempotencyKey: newId() };
    const answers = await Promise.all(Array.from({ length: 12 }, () => topUp(admin, delivery)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await getAccount(admin, { userId })).toMatchObject({ balanceNanoUsd: (25n * USD).toString() });
    expect(await entriesOf(userId)).toHaveLength(1);
  });

  it("the same key with another body is a conflict, for the same user and for another", async () => {
    const [userId, other] = [await makePayer("0"), await makePayer("0")];
    const delivery = { userId, amountUsd: "25", reason: "Invoice 7", idempotencyKey: newId() };
    await topUp(admin, delivery);
    const conflict = { code: "conflict", field: "idempotencyKey" };
    await expect(topUp(admin, { ...delivery, amountUsd: "26" })).rejects.toMatchObject(conflict);
    await expect(topUp(admin, { ...delivery, reason: "Invoice 8" })).rejects.toMatchObject(conflict);
    await expect(topUp(admin, { ...delivery, userId: other })).rejects.toMatchObject(conflict);
    await expect(adjustCredit(admin, delivery)).rejects.toMatchObject(conflict);
    expect(await getAccount(admin, { userId: other })).toMatchObject({ balanceNanoUsd: "0" });
    const racing = { ...delivery, idempotencyKey: newId() };
    const answers = await Promise.allSettled([userId, other].flatMap((id) => [topUp(admin, { ...racing, userId: id })]));
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(answers.filter(({ status }) => status === "rejected")).toMatchObject([{ reason: { code: "conflict" } }]);
  });
});

describe("T1 T2 T5 T8 a hold", () => {
  it("T1 reserves exactly the price, in the transaction of the caller's row", async () => {
    const userId = await makePayer("10");
    const reference = task();
    await withTransaction(admin, async (ctx) => {
      await ctx.transaction.tx.setting.create({ data: { tenantId: "tasks", name: reference.id, value: "reserved" } });
      await holdCredit(ctx, { userId, amountNanoUsd: 3n * USD, reference });
    });
    expect(await getAccount(admin, { userId })).toMatchObject({
      balanceNanoUsd: (10n * USD).toString(),
      heldNanoUsd: (3n * USD).toString(),
      availableNanoUsd: (7n * USD).toString(),
    });
    expect((await entriesOf(userId))[0]).toMatchObject({
      kind: "hold",
      referenceKind: "task",
      referenceId: reference.id,
      amountNanoUsd: "0",
    });
    const failed = task();
    const failing = withTransaction(admin, async (ctx) => {
      await holdCredit(ctx, { userId, amountNanoUsd: USD, reference: failed });
      throw new Error("the row could not be written");
    });
    await expect(failing).rejects.toThrow("could not be written");
    await expect(release(failed)).rejects.toMatchObject({ code: "not_found" });
    expect(await getAccount(admin, { userId })).toMatchObject({ heldNanoUsd: (3n * USD).toString() });
  });

  it("T2 is refused where the balance does not cover it, and the caller's row goes with it", async () => {
    const userId = await makePayer("10");
    const reference = task();
    const submit = withTransaction(admin, async (ctx) => {
      await ctx.transaction.tx.setting.create({ data: { tenantId: "tasks", name: reference.id, value: "reserved" } });
      await holdCredit(ctx, { userId, amountNanoUsd: 10n * USD + 1n, reference });
    });
    await expect(submit).rejects.toMatchObject({
      code: "insufficient_credit",
      message: "Not enough credit: $10 available, $10.000000001 needed.",
    });
    expect(await world.database.prisma.setting.count({ where: { tenantId: "tasks", name: reference.id } })).toBe(0);
    expect(await entriesOf(userId)).toHaveLength(1);
  });

  it("50 holds at once on credit for 10: exactly 10", async () => {
    const userId = await makePayer("10");
    const outcomes: string[] = [];
    // As many lanes as connections, so that no transaction waits too long for one.
    const lane = async (): Promise<void> => {
      for (let n = 0; n < 10; n++) {
        const outcome = hold(userId, USD).then(
          () => "held",
          (error: SluiceError) => error.code,
        );
        outcomes.push(await outcome);
      }
    };
    await Promise.all(Array.from({ length: 5 }, lane));
    expect(outcomes.filter((outcome) => outcome === "held")).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === "insufficient_credit")).toHaveLength(40);
    expect(await getAccount(admin, { userId })).toMatchObject({ heldNanoUsd: (10n * USD).toString(), availableNanoUsd: "0" });
  });

  it("ends once: settled for less, for as much or for more, its full cost is booked", async () => {
    const userId = await makePayer("10");
    for (const [cost, balance] of [
      [0n, 10n],
      [1n, 9n],
      [2n, 7n],
      [3n, 4n],
    ] as const) {
      const reference = task();
      await hold(userId, 2n * USD, reference);
      const ends = await Promise.all(Array.from({ length: 4 }, () => settle(reference, cost * USD)));
      expect(ends.filter(Boolean)).toHaveLength(1);
      expect(await release(reference)).toBe(false);
      expect(await getAccount(admin, { userId })).toMatchObject({ balanceNanoUsd: (balance * USD).toString(), heldNanoUsd: "0" });
    }
  });

  it("T5 a failure gives all of it back, once", async () => {
    const userId = await makePayer("10");
    const reference = task();
    await hold(userId, 4n * USD, reference);
    const ends = await Promise.all([release(reference), release(reference), settle(reference, USD), release(reference)]);
    expect(ends.filter(Boolean)).toHaveLength(1);
    const ended = (await entriesOf(userId)).filter(({ kind }) => kind === "release" || kind === "settle");
    expect(ended).toHaveLength(1);
    expect(await getAccount(admin, { userId })).toMatchObject({ heldNanoUsd: "0" });
    await expect(hold(userId, USD, reference)).rejects.toMatchObject({ code: "conflict" });
  });

  it("again with the same reference and amount changes nothing, even after its end", async () => {
    const userId = await makePayer("10");
    const reference = task();
    await Promise.all(Array.from({ length: 5 }, () => hold(userId, USD, reference)));
    expect(await getAccount(admin, { userId })).toMatchObject({ heldNanoUsd: USD.toString() });
    await release(reference);
    await hold(userId, USD, reference);
    expect(await getAccount(admin, { userId })).toMatchObject({ heldNanoUsd: "0" });
  });

  it("T8 its entries stay when the thing is deleted, and so does the user they belong to", async () => {
    const userId = await makePayer("10");
    const reference = task();
    const { setting } = world.database.prisma;
    await setting.create({ data: { tenantId: "tasks", name: reference.id, value: "reserved" } });
    await hold(userId, USD, reference);
    await settle(reference, USD);
    await setting.delete({ where: { tenantId_name: { tenantId: "tasks", name: reference.id } } });
    expect((await entriesOf(userId)).map(({ kind }) => kind)).toEqual(["settle", "hold", "top_up"]);
  });

  it("of a postpaid user is booked without a balance, and settled on postpaid terms", async () => {
    const { id: userId } = await makeUser(world.database.prisma);
    const reference = task();
    await hold(userId, 5n * USD, reference);
    await settle(reference, 4n * USD);
    expect(await getAccount(admin, { userId })).toMatchObject({
      balanceNanoUsd: "0",
      heldNanoUsd: "0",
      postpaidNanoUsd: (4n * USD).toString(),
    });
  });
});

describe("who may see and do what", () => {
  it("a user reads what is their own; another's is not there; writing is for administrators", async () => {
    const [user, other] = [await world.as("user"), await world.as("user")];
    await topUp(admin, { userId: user.userId, amountUsd: "3", reason: "Gift", idempotencyKey: newId() });
    await topUp(admin, { userId: other.userId, amountUsd: "3", reason: "Gift", idempotencyKey: newId() });
    expect(await getAccount(user)).toMatchObject({ userId: user.userId, balanceNanoUsd: (3n * USD).toString() });
    expect((await listEntries(user)).items).toMatchObject([{ userId: user.userId, reason: "Gift", actorId: "" }]);
    await expect(getAccount(user, { userId: other.userId })).rejects.toMatchObject({ code: "not_found" });
    await expect(listEntries(user, { filter: { userId: other.userId } })).rejects.toMatchObject({ code: "not_found" });
    const entry = { userId: user.userId, amountUsd: "3", reason: "Mine", idempotencyKey: newId() };
    for (const attempt of [topUp, adjustCredit, refundCredit])
      await expect(attempt(user, entry)).rejects.toMatchObject({ code: "forbidden" });
    await expect(updateAccount(user, { userId: user.userId, billing: "postpaid" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(getAccount(admin, { userId: newId() })).rejects.toMatchObject({ code: "not_found" });
  });

  it("the log is walked page by page, newest first, without a gap or a repetition", async () => {
    const userId = await makePayer("0");
    for (let n = 1; n <= 7; n++) await topUp(admin, { userId, amountUsd: String(n), reason: `Invoice ${n}`, idempotencyKey: newId() });
    const walked: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listEntries(admin, { filter: { userId }, limit: 3, cursor });
      walked.push(...page.items.map(({ reason }) => reason));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(walked).toEqual([7, 6, 5, 4, 3, 2, 1].map((n) => `Invoice ${n}`));
  });
});

describe("W24 users with credit", () => {
  it("is for administrators, and answers only what was asked for", async () => {
    const userId = await makePayer("2");
    const { items } = await listUsers(admin, { fields: ["credit"] });
    const item = items.find(({ id }) => id === userId);
    expect(item).toMatchObject({ credit: { billing: "prepaid", balanceNanoUsd: (2n * USD).toString() } });
    expect(item).not.toHaveProperty("email");
    const both = (await listUsers(admin, { fields: ["email", "credit"] })).items.find(({ id }) => id === userId);
    expect(both).toMatchObject({ email: expect.stringContaining("@"), credit: { balanceNanoUsd: (2n * USD).toString() } });
    expect((await listUsers(admin)).items[0]).not.toHaveProperty("credit");
    await expect(listUsers(await world.as("user"), { fields: ["credit"] })).rejects.toMatchObject({ code: "forbidden" });
    await expect(listUsers(admin, { fields: ["credits" as "credit"] })).rejects.toMatchObject({ code: "invalid_request" });
  });
});

describe("I3 with entries, holds and requests together", () => {
  it("100 users: opening + entries - ledger = balance, to the nano-USD, while requests settle", async () => {
    const users = await makePayers(100, 5n * USD);
    const cost = (index: number) => String((index * 7_919_017) % 90_000_001);
    const finishes = users.flatMap((userId, index) =>
      Array.from({ length: 6 }, (_, n) => {
        const row = requestRow({ userId, costNanoUsd: cost(index * 6 + n) });
        return { row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "0" };
      }),
    );
    const batches = Array.from({ length: 12 }, (_, n) => finishes.filter((_, index) => index % 12 === n));
    const byHand = async (share: number): Promise<void> => {
      for (const [index, userId] of users.entries()) {
        if (index % 2 !== share || index >= 32) continue;
        await topUp(admin, { userId, amountUsd: "1.5", reason: "More", idempotencyKey: newId() });
        const reference = task();
        await hold(userId, USD, reference);
        if (index % 3 === 0) await settle(reference, USD / 3n);
        if (index % 3 === 1) await release(reference);
      }
    };
    const settling = async (): Promise<void> => {
      for (const batch of batches) await settleBatch(world.database.pool, batch);
    };
    await Promise.all([settling(), ...[0, 1].map(byHand)]);
    expect(await findWrongBalances(world.database.pool)).toEqual([]);
    for (const [index, userId] of users.slice(0, 10).entries()) {
      const spent = Array.from({ length: 6 }, (_, n) => BigInt(cost(index * 6 + n))).reduce((sum, part) => sum + part, 0n);
      const settled = index % 3 === 0 ? USD / 3n : 0n;
      expect(await getAccount(admin, { userId })).toMatchObject({
        balanceNanoUsd: (5n * USD + (3n * USD) / 2n - spent - settled).toString(),
        heldNanoUsd: index % 3 === 2 ? USD.toString() : "0",
      });
    }
  });
});
