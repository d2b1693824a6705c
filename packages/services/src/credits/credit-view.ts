import type { Billing, EntryKind } from "@sluice/core/inputs/credit";

/** A user's account; amounts are nano-USD as decimal text. */
export interface AccountView {
  userId: string;
  billing: Billing;
  balanceNanoUsd: string;
  /** Reserved for work in progress; included in the balance. */
  heldNanoUsd: string;
  floorNanoUsd: string;
  /** Balance minus holds and floor; below 0 no work may begin. */
  availableNanoUsd: string;
  /** Usage on postpaid terms, which is not deducted from the balance. */
  postpaidNanoUsd: string;
}

/** One entry of the credit log; amounts are signed nano-USD as decimal text. */
export interface EntryView {
  id: string;
  atMs: number;
  userId: string;
  kind: EntryKind;
  /** Change of the balance. */
  amountNanoUsd: string;
  /** Change of the held amount. */
  heldNanoUsd: string;
  /** The balance after this entry. */
  balanceNanoUsd: string;
  referenceKind: string;
  referenceId: string;
  /** Empty for the system, and always for viewers who are not administrators. */
  actorId: string;
  reason: string;
}
