import { timeOfId } from "@sluice/core/ids";
import type { Billing, EntryKind } from "@sluice/core/inputs/credit";
import type { Account, AccountEntry } from "@sluice/db/generated/client";
import { isAdmin } from "../access.ts";
import type { Ctx } from "../context.ts";
import type { AccountView, EntryView } from "./credit-view.ts";

/** The account of a user who has none: empty, on postpaid terms. */
const none = { billing: "postpaid", balanceNanoUsd: 0n, heldNanoUsd: 0n, floorNanoUsd: 0n, postpaidNanoUsd: 0n };

export function toAccountView(userId: string, row: Omit<Account, "userId" | "tenantId"> | null): AccountView {
  const { billing, balanceNanoUsd, heldNanoUsd, floorNanoUsd, postpaidNanoUsd } = row ?? none;
  return {
    userId,
    billing: billing as Billing,
    balanceNanoUsd: balanceNanoUsd.toString(),
    heldNanoUsd: heldNanoUsd.toString(),
    floorNanoUsd: floorNanoUsd.toString(),
    availableNanoUsd: (balanceNanoUsd - heldNanoUsd - floorNanoUsd).toString(),
    postpaidNanoUsd: postpaidNanoUsd.toString(),
  };
}

/** An entry as the actor may see it. */
export function toEntryView(ctx: Ctx, row: AccountEntry): EntryView {
  return {
    id: row.id,
    atMs: timeOfId(row.id),
    userId: row.userId,
    kind: row.kind as EntryKind,
    amountNanoUsd: row.amountNanoUsd.toString(),
    heldNanoUsd: row.heldNanoUsd.toString(),
    balanceNanoUsd: row.balanceNanoUsd.toString(),
    referenceKind: row.referenceKind,
    referenceId: row.referenceId,
    actorId: isAdmin(ctx) ? row.actorId : "",
    reason: row.reason,
  };
}
