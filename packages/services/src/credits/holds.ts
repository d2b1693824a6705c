import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { formatUsd } from "@sluice/core/money";
import type { TxCtx } from "../transaction.ts";
import { lockAccount } from "./lock-account.ts";

/** What a hold is for. A reference is held once and ended once, ever, whatever happens to the thing it names. */
export interface CreditReference {
  /** `task` for example. */
  kind: string;
  id: string;
}

/**
 * Sets an amount aside in the caller's transaction, so that the thing and its hold are created together or not at all. Repeating it with
 * the same reference and amount changes nothing. A postpaid user's hold is booked and requires no balance.
 * @throws SluiceError `not_found` (user), `insufficient_credit`, `conflict` (the reference was held for another user or amount).
 */
export async function holdCredit(ctx: TxCtx, hold: { userId: string; amountNanoUsd: bigint; reference: CreditReference }): Promise<void> {
  const { userId, amountNanoUsd: amount, reference } = hold;
  if (amount < 0n) throw new SluiceError("invalid_request", { message: "A hold cannot be negative." });
  const account = await lockAccount(ctx, userId);
  const before = await findHold(ctx, reference);
  if (before) {
    if (before.userId === userId && before.heldNanoUsd === amount) return;
    throw new SluiceError("conflict", { message: "There is already a hold with this reference." });
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
 * Requests in flight reserve from the same credit outside the database. A debit therefore reserves its amount in the same place, until it
 * is committed and part of the balance.
 */
export async function reserveUntilCommit(ctx: TxCtx, userId: string, amount: bigint): Promise<void> {
  const id = newId();
  const refusal = await ctx.credit.reserve(id, userId, Number(amount));
  if (refusal) throw insufficientCredit(BigInt(refusal.availableNanoUsd), amount);
  ctx.transaction.reserved.push(id);
}

/**
 * Ends a hold with the actual cost. All of it is booked: a remainder is released, and a cost above the hold is charged too, even below
 * the floor, as for requests. Returns whether this call ended it; false = it was settled or released before.
 * @throws SluiceError `not_found` (no such hold).
 */
export function settleHold(ctx: TxCtx, reference: CreditReference, amountNanoUsd: bigint): Promise<boolean> {
  if (amountNanoUsd < 0n) throw new SluiceError("invalid_request", { message: "A cost cannot be negative." });
  return endHold(ctx, reference, { kind: "settle", cost: amountNanoUsd });
}

/**
 * Releases a hold in full. Returns whether this call ended it; false = it was settled or released before.
 * @throws SluiceError `not_found`.
 */
export function releaseHold(ctx: TxCtx, reference: CreditReference): Promise<boolean> {
  return endHold(ctx, reference, { kind: "release", cost: 0n });
}

async function endHold(ctx: TxCtx, reference: CreditReference, end: { kind: "settle" | "release"; cost: bigint }): Promise<boolean> {
  const { tx } = ctx.transaction;
  const hold = await findHold(ctx, reference);
  if (!hold) throw new SluiceError("not_found", { message: "There is no hold with this reference." });
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

/** The error that names the available and the required amount. */
export function insufficientCredit(availableNanoUsd: bigint, neededNanoUsd: bigint): SluiceError {
  return new SluiceError("insufficient_credit", {
    message: `Not enough credit: $${formatUsd(availableNanoUsd)} available, $${formatUsd(neededNanoUsd)} needed.`,
  });
}
