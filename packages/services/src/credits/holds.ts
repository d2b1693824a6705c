import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { formatUsd } from "@sluice/core/money";
import type { TxCtx } from "../transaction.ts";
import { lockAccount } from "./lock-account.ts";

/** What a hold is for, for good: a reference is held once and ended once, whatever becomes of the thing itself. */
export interface CreditReference {
  /** `task` and the like. */
  kind: string;
  id: string;
}

/**
 * Sets an amount aside in the caller's transaction, so that the thing and its hold exist together or not at all. Again
 * with the same reference and amount it changes nothing. A postpaid user's hold is booked and needs no balance.
 * @throws SluiceError `not_found` (user), `insufficient_credit`, `conflict` (the reference was held for another user or amount).
 */
export async function holdCredit(ctx: TxCtx, hold: { userId: string; amountNanoUsd: bigint; reference: CreditReference }): Promise<void> {
  const { userId, amountNanoUsd: amount, reference } = hold;
  if (amount < 0n) throw new SluiceError("invalid_request", { message: "A hold cannot be negative." });
  const account = await lockAccount(ctx, userId);
  const before = await findHold(ctx, reference);
  if (before) {
    if (before.userId === userId && before.heldNanoUsd === amount) return;
    throw new SluiceError("conflict", { message: "This reference is held already." });
  }
  if (account.billing !== "postpaid") await reserveUntilCommit(ctx, userId, amount);
  const taken = await ctx.transaction.tx.$executeRaw`
    WITH moved AS (
      UPDATE accounts SET held_nano_usd = held_nano_usd + ${amount}::bigint
      WHERE user_id = ${userId}::uuid AND (billing = 'postpaid' OR balance_nano_usd - held_nano_usd - ${amount}::bigint >= floor_nano_usd)
      RETURNING balance_nano_usd)
    INSERT INTO account_entries (id, tenant_id, user_id, kind, amount_nano_usd, held_nano_usd, balance_nano_usd, reference_kind, reference_id)
    SELECT ${newId()}::uuid, ${ctx.tenantId}, ${userId}::uuid, 'hold', 0, ${amount}::bigint, balance_nano_usd, ${reference.kind}, ${reference.id}
    FROM moved`;
  if (taken === 0) throw insufficientCredit(account.balanceNanoUsd - account.heldNanoUsd - account.floorNanoUsd, amount);
}

/**
 * Beside the account stand the requests in flight, which have reserved of the same credit: what takes from the account asks
 * for its part where they ask for theirs, until it is committed and in the balance.
 */
export async function reserveUntilCommit(ctx: TxCtx, userId: string, amount: bigint): Promise<void> {
  const id = newId();
  const refusal = await ctx.credit.reserve(id, userId, Number(amount));
  if (refusal) throw insufficientCredit(BigInt(refusal.availableNanoUsd), amount);
  ctx.transaction.reserved.push(id);
}

/**
 * Ends a hold with what the work really cost. All of it is booked: less than was held gives the rest back, more is taken
 * too, if need be below the floor, as with requests. Whether this ended it: false = it had been settled or released.
 * @throws SluiceError `not_found` (nothing was held).
 */
export function settleHold(ctx: TxCtx, reference: CreditReference, amountNanoUsd: bigint): Promise<boolean> {
  if (amountNanoUsd < 0n) throw new SluiceError("invalid_request", { message: "A cost cannot be negative." });
  return endHold(ctx, reference, { kind: "settle", cost: amountNanoUsd });
}

/** Gives a hold back in full. Whether this ended it: false = it had been settled or released. @throws SluiceError `not_found`. */
export function releaseHold(ctx: TxCtx, reference: CreditReference): Promise<boolean> {
  return endHold(ctx, reference, { kind: "release", cost: 0n });
}

async function endHold(ctx: TxCtx, reference: CreditReference, end: { kind: "settle" | "release"; cost: bigint }): Promise<boolean> {
  const { tx } = ctx.transaction;
  const hold = await findHold(ctx, reference);
  if (!hold) throw new SluiceError("not_found", { message: "Nothing is held for this." });
  const { userId, heldNanoUsd: held } = hold;
  await lockAccount(ctx, userId);
  const of = { tenantId: ctx.tenantId, referenceKind: reference.kind, referenceId: reference.id };
  if (await tx.accountEntry.findFirst({ where: { ...of, kind: { in: ["settle", "release"] } }, select: { id: true } })) return false;
  await tx.$executeRaw`
    WITH moved AS (
      UPDATE accounts SET held_nano_usd = held_nano_usd - ${held}::bigint,
        balance_nano_usd = balance_nano_usd - CASE billing WHEN 'postpaid' THEN 0 ELSE ${end.cost}::bigint END,
        postpaid_nano_usd = postpaid_nano_usd + CASE billing WHEN 'postpaid' THEN ${end.cost}::bigint ELSE 0 END
      WHERE user_id = ${userId}::uuid RETURNING balance_nano_usd)
    INSERT INTO account_entries (id, tenant_id, user_id, kind, amount_nano_usd, held_nano_usd, balance_nano_usd, reference_kind, reference_id)
    SELECT ${newId()}::uuid, ${ctx.tenantId}, ${userId}::uuid, ${end.kind}, ${-end.cost}::bigint, ${-held}::bigint, balance_nano_usd, ${reference.kind}, ${reference.id}
    FROM moved`;
  return true;
}

function findHold(ctx: TxCtx, { kind, id }: CreditReference): Promise<{ userId: string; heldNanoUsd: bigint } | null> {
  return ctx.transaction.tx.accountEntry.findFirst({
    where: { tenantId: ctx.tenantId, referenceKind: kind, referenceId: id, kind: "hold" },
    select: { userId: true, heldNanoUsd: true },
  });
}

/** Names what is there and what it would take. */
export function insufficientCredit(availableNanoUsd: bigint, neededNanoUsd: bigint): SluiceError {
  return new SluiceError("insufficient_credit", {
    message: `The credit does not cover this: $${formatUsd(availableNanoUsd)} available, $${formatUsd(neededNanoUsd)} needed.`,
  });
}
