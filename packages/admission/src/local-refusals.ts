import type { ChurningMap } from "@sluice/core/churning-map";
import { type CostKind, costKinds, type LimitKind, limitKinds } from "@sluice/core/limits/limit-values";
import { advanceRate, type RateWindow, rateRetryAfterS } from "@sluice/core/limits/rate-window";
import { rotateSpend, type SpendBook, spendFreesAtMs, spentIn } from "@sluice/core/limits/spend-book";
import type { KeeperRefusal, OwnerAsk, TakeAsk } from "./limit-keeper.ts";

/** The role of this process's own books. */
export interface LocalRole {
  /** They decide alone; otherwise they are a lower bound, and Redis is asked as well. */
  decides: boolean;
  /** Number of instances that share the limits without seeing each other: each grants its part of what is left. */
  instances: number;
  /** Whether they may refuse by cost. After a correction the cost may be lower: the ledger tells Redis, but not these books. */
  byCost: boolean;
}

/** What Redis last reported beyond this process's own part, for one window. */
interface OthersPart {
  startMs: number;
  untilMs: number;
  nanoUsd: number;
}

/** What one owner uses, as far as this process knows. */
export interface OwnerBook {
  /** Reserved cost by request in flight. */
  live: ChurningMap<string, number>;
  reserved: number;
  rpm: RateWindow | null;
  tpm: RateWindow | null;
  spend: SpendBook;
  /** Settled, but not seen in the ledger yet. */
  recent: Map<string, { startedAtMs: number; nanoUsd: number }>;
  others: Partial<Record<CostKind, OthersPart>>;
  /** What this process had used when it began to decide alone among several, by kind, with the window it belongs to. */
  aloneSince: Partial<Record<CostKind, { startMs: number; used: number }>>;
  /** Waiting for an in-flight slot, oldest first. */
  queue: { id: string; since: number }[];
  usedAtMs: number;
}

/** Checks by kind first, then by owner. */
export function refusalOf(owners: readonly OwnerAsk[], books: readonly OwnerBook[], ask: TakeAsk, role: LocalRole): KeeperRefusal | null {
  for (const kind of limitKinds) {
    for (let index = 0; index < owners.length; index++) {
      const [owner, book] = [owners[index], books[index]];
      if (!owner || !book) continue;
      const found = refusalOfKind(kind, owner, book, ask, role);
      // What the request holds already is not refused.
      if (!found || book.live.has(ask.id)) continue;
      if (!role.byCost && isOfCost(kind)) return null;
      return { ask: owner, limit: kind, ...found };
    }
  }
  return null;
}

function isOfCost(kind: LimitKind): boolean {
  return costKinds.some((cost) => cost === kind);
}

type Found = Pick<KeeperRefusal, "used" | "onlyReserved" | "freesAtMs">;

function refusalOfKind(kind: LimitKind, owner: OwnerAsk, book: OwnerBook, ask: TakeAsk, role: LocalRole): Found | null {
  if (kind === "in_flight") return inFlightRefusal(owner, book, ask, role);
  if (kind === "rpm") return rateRefusal(book.rpm, owner.limits.rpm, 1, { nowMs: ask.nowMs, role });
  if (kind === "tpm") return rateRefusal(book.tpm, owner.limits.tpm, ask.tokens, { nowMs: ask.nowMs, role });
  return costRefusal(kind, owner, book, ask, role);
}

/** Instances that do not see each other grant a part each, and at least one. */
function partOf(limit: number | null, { decides, instances }: LocalRole): number | null {
  return limit === null || !decides || instances <= 1 ? limit : Math.max(1, Math.floor(limit / instances));
}

/** With a line, free slots belong to those who came first. */
function inFlightRefusal(owner: OwnerAsk, book: OwnerBook, ask: TakeAsk, role: LocalRole): Found | null {
  const limit = partOf(owner.limits.inFlight, role);
  if (limit === null) return null;
  const free = limit - book.live.size;
  const { since = Number.POSITIVE_INFINITY } = ask;
  const ahead = ask.queueMs === 0 || !role.decides ? 0 : book.queue.filter((other) => other.since < since && other.id !== ask.id).length;
  return ahead < free ? null : { used: book.live.size, onlyReserved: true, freesAtMs: null };
}

function rateRefusal(
  window: RateWindow | null,
  whole: number | null,
  amount: number,
  { nowMs, role }: { nowMs: number; role: LocalRole },
): Found | null {
  const limit = partOf(whole, role);
  if (whole === null || limit === null) return null;
  if (window) advanceRate(window, nowMs);
  const used = window?.total ?? 0;
  if (used + amount <= limit) return null;
  // More than the limit of a whole minute.
  if (amount > whole) return { used, onlyReserved: false, freesAtMs: null };
  const waitS = window ? rateRetryAfterS(window, limit - amount + 1, nowMs) : 1;
  return { used, onlyReserved: false, freesAtMs: nowMs + waitS * 1000 };
}

function costRefusal(kind: CostKind, owner: OwnerAsk, book: OwnerBook, ask: TakeAsk, role: LocalRole): Found | null {
  const limit = owner.limits.costs?.[kind];
  if (limit === undefined) return null;
  const { windows, nowMs } = ask;
  rotateSpend(book.spend, windows, owner.limits.totalSinceMs);
  const spent = spentIn(book.spend, kind, windows, nowMs) + (role.decides ? othersPart(book, kind, windows, nowMs) : 0);
  const used = spent + book.reserved;
  const ceiling = role.decides && role.instances > 1 ? shareOf(kind, limit, used, book, ask, role.instances) : limit;
  if (used + owner.costNanoUsd <= ceiling) return null;
  // More than the limit of a whole window.
  if (owner.costNanoUsd > limit) return { used, onlyReserved: false, freesAtMs: null };
  const onlyReserved = spent + owner.costNanoUsd <= ceiling;
  const room = limit - owner.costNanoUsd - book.reserved;
  return { used, onlyReserved, freesAtMs: spendFreesAtMs(book.spend, kind, windows, { nowMs, room }) };
}

/** How far this process may go: what was used when Redis was lost, plus its part of what was left then. */
function shareOf(kind: CostKind, limit: number, used: number, book: OwnerBook, { windows }: TakeAsk, instances: number): number {
  const startMs = kind === "total" ? 0 : (windows.fixed[kind]?.startMs ?? 0);
  let since = book.aloneSince[kind];
  if (since?.startMs !== startMs) {
    since = { startMs, used };
    book.aloneSince[kind] = since;
  }
  return since.used + Math.floor((limit - since.used) / instances);
}

/** What Redis last reported beyond this process's own part, while its window lasts. */
export function othersPart(book: OwnerBook, kind: CostKind, windows: TakeAsk["windows"], nowMs: number): number {
  const part = book.others[kind];
  if (!part || nowMs >= part.untilMs) return 0;
  const startMs = kind === "total" ? part.startMs : (windows.fixed[kind]?.startMs ?? part.startMs);
  return part.startMs === startMs ? part.nanoUsd : 0;
}
