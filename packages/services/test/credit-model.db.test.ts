import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { formatUsd } from "@sluice/core/money";
import { findWrongBalances } from "@sluice/ledger/reconcile";
import { settleBatch } from "@sluice/ledger/settle-batch";
import type { Ctx } from "@sluice/services/context";
import { adjustCredit, topUp } from "@sluice/services/credits/add-entry";
import { getAccount } from "@sluice/services/credits/get-account";
import { holdCredit, releaseHold, settleHold } from "@sluice/services/credits/holds";
import { type TxCtx, withTransaction } from "@sluice/services/transaction";
import { makeUser, requestDetail, requestRow } from "@sluice/testing/factories";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServices, type TestServices } from "./harness.ts";

let world: TestServices;
let admin: Ctx & { userId: string };
beforeAll(async () => {
  world = await startServices();
  admin = await world.as("admin");
});
afterAll(() => world?.close());

/** nano-USD; few distinct values, so that they collide. */
const amount = fc.integer({ min: 1, max: 6 }).map(BigInt);
const reference = fc.integer({ min: 0, max: 2 });
/** `lost`: committed, but the answer never arrived; `crashed`: not committed. Both are retried. */
const fate = fc.constantFrom("heard", "lost", "crashed");
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom("topUp", "adjust"), amount, fate }),
  fc.record({ kind: fc.constant("hold"), reference, amount, fate }),
  fc.record({ kind: fc.constantFrom("settle", "release"), reference, amount, fate }),
  fc.record({ kind: fc.constant("request"), amount }),
);
const lanes = fc.array(fc.array(step, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 4 });
type Step = (typeof step extends fc.Arbitrary<infer S> ? S : never) & { reference?: number; fate?: string };

class Crash extends Error {}

/** One prepaid user, the model's view of the account, and every way to change it. */
async function makeModel(floor: bigint, alone: boolean) {
  const { pool, prisma } = world.database;
  const { id: userId } = await makeUser(prisma);
  await prisma.account.update({ where: { userId }, data: { billing: "prepaid", floorNanoUsd: floor } });
  const run = newId();
  const model = { balance: 0n, held: new Map<number, bigint>(), ended: new Set<number>() };
  const heldNow = () => [...model.held].reduce((sum, [id, part]) => (model.ended.has(id) ? sum : sum + part), 0n);
  const available = () => model.balance - heldNow() - floor;
  const of = (id = 0) => ({ kind: "task", id: `${run} ${id}` });

  /** Runs the work as often as its fate requires; returns the answer of the first run that was committed. */
  async function fated<T>(work: (ctx: TxCtx) => Promise<T>, fate = "heard"): Promise<T> {
    if (fate === "crashed") {
      const crashing = withTransaction(admin, async (ctx) => {
        await work(ctx);
        throw new Crash();
      });
      await crashing.catch((error: unknown) => (error instanceof Crash ? undefined : Promise.reject(error)));
    }
    const first = await withTransaction(admin, work);
    if (fate === "lost") await withTransaction(admin, work);
    return first;
  }

  async function entry(kind: string, by: bigint, fate?: string): Promise<void> {
    const body = { userId, reason: "model", idempotencyKey: newId() };
    if (kind === "topUp") await fated((ctx) => topUp(ctx, { ...body, amountUsd: formatUsd(by) }), fate);
    else await fated((ctx) => adjustCredit(ctx, { ...body, amountUsd: formatUsd(-by) }), fate);
    model.balance += kind === "topUp" ? by : -by;
  }

  async function end(kind: string, id: number, by: bigint, fate?: string): Promise<void> {
    // Charging more than was held is allowed and may go below the floor; this test avoids it, because here the floor must hold.
    const held = model.held.get(id) ?? 1n;
    const cost = by < held ? by : held;
    const ended = await fated((ctx) => (kind === "settle" ? settleHold(ctx, of(id), cost) : releaseHold(ctx, of(id))), fate);
    if (!ended) return;
    expect(model.ended.has(id), "ended a second time").toBe(false);
    model.ended.add(id);
    if (kind === "settle") model.balance -= cost;
  }

  /** Reserves the maximum, then charges slightly less through the ledger. */
  async function request(most: bigint): Promise<void> {
    const row = requestRow({ userId, costNanoUsd: String(most - 1n) });
    const refusal = await world.credit.reserve(row.id, userId, Number(most));
    if (refusal) throw new SluiceError("insufficient_credit");
    world.credit.spend(row.id, Number(row.costNanoUsd));
    await settleBatch(pool, [{ row, detail: requestDetail({ id: row.id }), upstreamCostNanoUsd: "0" }]);
    world.credit.settled([row.id]);
    model.balance -= most - 1n;
  }

  async function take({ kind, amount, reference = 0, fate }: Step): Promise<void> {
    const takes = kind === "adjust" || kind === "request" || (kind === "hold" && !model.held.has(reference));
    const covered = available() >= amount;
    const refusal = await (async () => {
      if (kind === "hold") {
        await fated((ctx) => holdCredit(ctx, { userId, amountNanoUsd: amount, reference: of(reference) }), fate);
        model.held.set(reference, amount);
      } else if (kind === "settle" || kind === "release") await end(kind, reference, amount, fate);
      else if (kind === "request") await request(amount);
      else await entry(kind, amount, fate);
    })().then(
      () => null,
      (error: unknown) => (error instanceof SluiceError ? error.code : Promise.reject(error)),
    );
    expect([null, "insufficient_credit", "conflict", "not_found"]).toContain(refusal);
    if (alone && takes) expect(refusal, `${kind} ${amount} of ${available()}`).toBe(covered ? null : "insufficient_credit");
    const { availableNanoUsd } = await getAccount(admin, { userId });
    expect(Number(availableNanoUsd), "below the floor").toBeGreaterThanOrEqual(0);
  }

  async function check(): Promise<void> {
    expect(await getAccount(admin, { userId })).toMatchObject({
      balanceNanoUsd: String(model.balance),
      heldNanoUsd: String(heldNow()),
    });
    const { rows: twice } = await pool.query(
      `SELECT reference_id FROM account_entries WHERE user_id = $1 AND kind IN ('settle', 'release') GROUP BY 1 HAVING count(*) > 1`,
      [userId],
    );
    expect(twice).toEqual([]);
    expect(await findWrongBalances(pool)).toEqual([]);
    expect(world.credit.stats().openNanoUsd).toBe(0);
  }
  return { take, check };
}

describe("a model of accounts", () => {
  it("holds, ends, entries and requests at once, with crashes and repeats: never below the floor, each end once, all adds up", async () => {
    await fc.assert(
      fc.asyncProperty(lanes, fc.constantFrom(0n, -4n), async (steps, floor) => {
        const model = await makeModel(floor, steps.length === 1);
        const walk = async (lane: Step[]): Promise<void> => {
          for (const step of lane) await model.take(step);
        };
        await Promise.all(steps.map((lane) => walk(lane as Step[])));
        await model.check();
      }),
      { numRuns: 200, interruptAfterTimeLimit: 15_000 },
    );
  });
});
