import type { CostWindows } from "@sluice/core/limits/cost-windows";
import type { AppliedLimits, CostKind, LimitKind, LimitOwner } from "@sluice/core/limits/limit-values";

/** An owner as it identifies its book. */
export interface OwnerRef {
  owner: LimitOwner;
  /** A UUID, or a group's name. */
  id: string;
}

/** What a request asks of one owner. */
export interface OwnerAsk extends OwnerRef {
  limits: AppliedLimits;
  /** The maximum cost, nano-USD: reserved until it is settled. */
  costNanoUsd: number;
}

/** What a request asks for: the first possible one of the alternatives, each with all of its owners together. */
export interface TakeAsk {
  id: string;
  /** When the request began: its cost counts in the windows of that time. */
  startedAtMs: number;
  /** Estimated; corrected when it is settled. */
  tokens: number;
  alternatives: readonly (readonly OwnerAsk[])[];
  windows: CostWindows;
  /** The time for which `windows` were made. */
  nowMs: number;
  /** How long a request may wait in line for an in-flight slot; 0 = there is no line. */
  queueMs: number;
  /** When it began to wait, in the order of the lines; absent = it has not waited yet. */
  since?: number;
}

/** Why a request was refused: the first limit, in checking order, that the first alternative exceeds. */
export interface KeeperRefusal {
  ask: OwnerAsk;
  limit: LimitKind;
  /** How much of it is used and reserved. */
  used: number;
  /** Only reservations stand in the way: room may appear at any moment. */
  onlyReserved: boolean;
  /** ms; null = time alone makes no room. */
  freesAtMs: number | null;
}

/** How much of its limits an owner uses. */
export interface OwnerUsage {
  inFlight: number;
  /** Requests, and tokens, of the current second and the 60 before it, by second since the epoch, oldest first. */
  rate: { second: number; count: number }[];
  tokens: { second: number; count: number }[];
  /** Settled nano-USD by kind; null = unknown here. */
  spent: Partial<Record<CostKind, number>> | null;
  /** nano-USD reserved by requests in flight. */
  reserved: number;
}

export type TakeReply =
  | { kind: "taken"; alternative: number; second: number; used: readonly Partial<Record<CostKind, number>>[] }
  | { kind: "refused"; refusal: KeeperRefusal }
  /** What these owners have spent is unknown and must first be read from the ledger. */
  | { kind: "unknown"; owners: readonly OwnerAsk[] };

/** What a request actually used, at one of its owners. */
export interface Settlement extends OwnerRef {
  limits: AppliedLimits;
  costNanoUsd: number;
  tokens: number;
  /** The tokens booked at admission, and the second they were booked in. */
  estimatedTokens: number;
  second: number;
}

/** A place in the line before a limit, where at most `size` wait, each for at most `waitMs`. */
export interface QueuePlace extends OwnerRef {
  requestId: string;
  size: number;
  waitMs: number;
  /** What is left of that for this request, which may have waited in another line before. */
  leftMs: number;
  /** Its place among the others, if it has waited in another line before; absent = last. */
  since?: number;
}

/** The name of an owner's book. */
export function bookName({ owner, id }: OwnerRef): string {
  return `${owner}:${id}`;
}
