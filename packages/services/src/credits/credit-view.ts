import type { Billing, EntryKind } from "@sluice/core/inputs/credit";

/** A user's account; amounts are decimal nano-USD. */
export interface AccountView {
  userId: string;
  billing: Billing;
  balanceNanoUsd: string;
  /** Set aside for work that is under way; part of the balance. */
  heldNanoUsd: string;
  floorNanoUsd: string;
  /** Balance less what is held and the floor; below 0 nothing can be begun. */
  availableNanoUsd: string;
  /** What was used on postpaid terms, which is not taken from the balance. */
  postpaidNanoUsd: string;
}

/** One entry of the credit log; amounts are signed decimal nano-USD. */
export interface EntryView {
  id: string;
  atMs: number;
  userId: string;
  kind: EntryKind;
  /** What it moved the balance by. */
  amountNanoUsd: string;
  /** What it moved the held part by. */
  heldNanoUsd: string;
  /** The balance right after it. */
  balanceNanoUsd: string;
  referenceKind: string;
  referenceId: string;
  /** '' for the system, and for users who are not administrators. */
  actorId: string;
  reason: string;
}
