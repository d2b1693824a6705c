import type { CostWindows } from "@sluice/core/limits/cost-windows";
import type { AppliedLimits, CostKind, LimitKind, LimitOwner } from "@sluice/core/limits/limit-values";

/** An owner as the books are named by it. */
export interface OwnerRef {
  owner: LimitOwner;
  /** A UUID, or a group's name. */
  id: string;
}

/** What a request asks of one owner. */
export interface OwnerAsk extends OwnerRef {
  limits: AppliedLimits;
  /** The worst case, nano-USD: reserved until it is settled. */
  costNanoUsd: number;
}

/** What a request asks: one of the alternatives, in order, and all owners of it together. */
export interface TakeAsk {
  id: string;
  /** When the request began: what it costs counts in the windows of that time. */
  startedAtMs: number;
  /** Estimated; corrected when it is settled. */
  tokens: number;
  alternatives: readonly (readonly OwnerAsk[])[];
  windows: CostWindows;
  /** What `windows` were made for. */
  nowMs: number;
  /** How long a request may wait in line for a place in flight; 0 = there is no line, and nobody is overtaken. */
  queueMs: number;
}

/** Why a request was refused: by the first alternative's first limit in the order of refusal. */
export interface KeeperRefusal {
  ask: OwnerAsk;
  limit: LimitKind;
  /** What is used and reserved of it. */
  used: number;
  /** Only reservations stand in the way: room may come at any moment. */
  onlyReserved: boolean;
  /** ms; null = not by the clock. */
  freesAtMs: number | null;
}

/** What of its limits an owner uses. */
export interface OwnerUsage {
  inFlight: number;
  /** Requests, and tokens, of the running second and the 60 before it, by second of the epoch, oldest first. */
  rate: { second: number; count: number }[];
  tokens: { second: number; count: number }[];
  /** nano-USD settled, by kind; null = not known here. */
  spent: Partial<Record<CostKind, number>> | null;
  /** nano-USD reserved by requests in flight. */
  reserved: number;
}

export type TakeReply =
  | { kind: "taken"; alternative: number; second: number; used: readonly Partial<Record<CostKind, number>>[] }
  | { kind: "refused"; refusal: KeeperRefusal }
  /** What these owners have spent is not known: it has to be read from the ledger first. */
  | { kind: "unknown"; owners: readonly OwnerAsk[] };

/** What a request really used, to one of its owners. */
export interface Settlement extends OwnerRef {
  limits: AppliedLimits;
  costNanoUsd: number;
  tokens: number;
  /** Booked when it was admitted, and the second of it. */
  estimatedTokens: number;
  second: number;
}

/** How a line before a limit is kept: at most `size` wait, each at most `waitMs`. */
export interface QueuePlace extends OwnerRef {
  requestId: string;
  size: number;
  waitMs: number;
  /** What of it is left to this one, which may have waited in another line before. */
  leftMs: number;
}

/** Books are named by their owner. */
export function bookName({ owner, id }: OwnerRef): string {
  return `${owner}:${id}`;
}
