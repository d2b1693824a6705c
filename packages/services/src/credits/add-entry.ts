import { SluiceError } from "@sluice/core/errors";
import { newId } from "@sluice/core/ids";
import { AdjustInput, RefundInput, TopUpInput } from "@sluice/core/inputs/credit";
import type { AccountEntry } from "@sluice/db/generated/client";
import type { z } from "zod";
import { requireAccess } from "../access.ts";
import { audit } from "../audit.ts";
import type { Ctx } from "../context.ts";
import { parse } from "../parse.ts";
import { withTransaction } from "../transaction.ts";
import type { EntryView } from "./credit-view.ts";
import { insufficientCredit, reserveUntilCommit } from "./holds.ts";
import { lockAccount } from "./lock-account.ts";
import { toEntryView } from "./to-credit-view.ts";

/*
 * Manual account entries by an administrator. Each has an author, a reason and an idempotency key chosen by the caller: however often it
 * is submitted, it counts once and returns the same answer.
 */

/** Adds a payment. @throws SluiceError `not_found`, `conflict` (the key was used for another entry). */
export async function topUp(ctx: Ctx, input: z.input<typeof TopUpInput>): Promise<EntryView> {
  requireAccess(ctx.actor, "admin");
  const { amountUsd, ...entry } = parse(TopUpInput, input);
  return addEntry(ctx, { ...entry, kind: "top_up", amount: amountUsd });
}

/**
 * Corrects the balance up or down. For a prepaid user it never goes below the floor plus what requests in flight may cost.
 * @throws SluiceError `not_found`, `conflict`, `insufficient_credit`.
 */
export async function adjustCredit(ctx: Ctx, input: z.input<typeof AdjustInput>): Promise<EntryView> {
  requireAccess(ctx.actor, "admin");
  const { amountUsd, ...entry } = parse(AdjustInput, input);
  return addEntry(ctx, { ...entry, kind: "adjustment", amount: amountUsd });
}

/** Refunds a charge, of one request or in general. @throws SluiceError `not_found` (also the request), `conflict`. */
export async function refundCredit(ctx: Ctx, input: z.input<typeof RefundInput>): Promise<EntryView> {
  requireAccess(ctx.actor, "admin");
  const { amountUsd, requestId, ...entry } = parse(RefundInput, input);
  if (requestId !== undefined) {
    const { rows } = await ctx.pool.query("SELECT FROM requests WHERE id = $1 AND user_id = $2", [requestId, entry.userId]);
    if (rows.length === 0) throw new SluiceError("not_found", { message: "This user has no such request.", field: "requestId" });
  }
  return addEntry(ctx, { ...entry, kind: "refund", amount: amountUsd, requestId });
}

interface ManualEntry {
  userId: string;
  kind: "top_up" | "adjustment" | "refund";
  amount: bigint;
  reason: string;
  idempotencyKey: string;
  requestId?: string | undefined;
}

function addEntry(ctx: Ctx, entry: ManualEntry): Promise<EntryView> {
  return withTransaction(ctx, async (ctx) => {
    const { tx } = ctx.transaction;
    const { userId, kind, amount, reason, idempotencyKey, requestId } = entry;
    const account = await lockAccount(ctx, userId);
    const before = await tx.accountEntry.findUnique({ where: { tenantId_idempotencyKey: { tenantId: ctx.tenantId, idempotencyKey } } });
    if (before) return toEntryView(ctx, requireSame(before, entry));
    const available = account.balanceNanoUsd - account.heldNanoUsd - account.floorNanoUsd;
    if (amount < 0n && account.billing !== "postpaid") {
      if (available + amount < 0n) throw insufficientCredit(available, -amount);
      await reserveUntilCommit(ctx, userId, -amount);
    }
    const { balanceNanoUsd } = await tx.account.update({ where: { userId }, data: { balanceNanoUsd: { increment: amount } } });
    const row = await tx.accountEntry.create({
      data: {
        ...{ id: newId(), tenantId: ctx.tenantId, userId, kind, amountNanoUsd: amount, balanceNanoUsd, idempotencyKey, reason },
        ...(requestId !== undefined && { referenceKind: "request", referenceId: requestId }),
        actorId: ctx.actor.kind === "user" ? ctx.actor.userId : "",
      },
    });
    await audit(ctx, auditOf(row));
    return toEntryView(ctx, row);
  });
}

function auditOf({ id, kind, userId, amountNanoUsd, balanceNanoUsd, reason }: AccountEntry) {
  const action = { top_up: "credit.topUp", adjustment: "credit.adjust", refund: "credit.refund" }[kind] ?? "credit.adjust";
  return { action, targetKind: "user", targetId: userId, after: { entryId: id, amountNanoUsd, balanceNanoUsd, reason } } as const;
}

/** Distinguishes a repeated submission of the same entry from another entry under its key. */
function requireSame(stored: AccountEntry, { userId, kind, amount, reason, requestId = "" }: ManualEntry): AccountEntry {
  const same =
    stored.userId === userId &&
    stored.kind === kind &&
    stored.amountNanoUsd === amount &&
    stored.reason === reason &&
    stored.referenceId === requestId;
  if (!same) {
    throw new SluiceError("conflict", {
      message: "This idempotency key was used for another entry.",
      field: "idempotencyKey",
    });
  }
  return stored;
}
