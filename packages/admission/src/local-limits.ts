import { ChurningMap } from "@sluice/core/churning-map";
import { type CostKind, costKinds, type LimitOwner, limitOwners } from "@sluice/core/limits/limit-values";
import { advanceRate, newRateWindow, type RateWindow, readRate, returnRate, takeRate } from "@sluice/core/limits/rate-window";
import {
  addSpend,
  layoutOf,
  newSpendBook,
  rebuildSpend,
  rotateSpend,
  type SpendFacts,
  spentIn,
  trimSpend,
} from "@sluice/core/limits/spend-book";
import {
  bookName,
  type KeeperRefusal,
  type OwnerAsk,
  type OwnerRef,
  type OwnerUsage,
  type QueuePlace,
  type Settlement,
  type TakeAsk,
  type TakeReply,
} from "./limit-keeper.ts";
import { type LocalRole, type OwnerBook, othersPart, refusalOf } from "./local-refusals.ts";

/** The first alternative that no limit refuses. */
interface Room {
  alternative: number;
  owners: readonly OwnerAsk[];
  books: readonly OwnerBook[];
}

/** Settled costs remembered per owner until the ledger shows them. */
const MAX_RECENT = 100_000;
const IDLE_MS = 2 * 3_600_000;

/**
 * The books of this process, with the same contract as the Lua scripts on Redis. In a single process they are the whole truth.
 * Next to Redis they hold this process's part: their refusals by rate and by requests in flight are always right and need no query,
 * and when Redis fails they continue from what it last reported. Leases need no expiry here, because they end with the process.
 */
export class LocalLimits {
  /** By kind of owner and id: the two as one text would have to be made and hashed for every look. */
  readonly #books: Record<LimitOwner, Map<string, OwnerBook>> = { key: new Map(), user: new Map(), group: new Map(), provider: new Map() };

  /** Takes all owners of the first alternative that has room, or nothing; these books decide, as one of this many instances. */
  take(ask: TakeAsk, instances: number): TakeReply {
    const unknown = this.#unknownOf(ask);
    if (unknown.length > 0) return { kind: "unknown", owners: unknown };
    const found = this.#firstWithRoom(ask, { decides: true, instances, byCost: true });
    if ("limit" in found) return { kind: "refused", refusal: found };
    const { alternative, owners, books } = found;
    return { kind: "taken", alternative, second: Math.floor(ask.nowMs / 1000), used: taken(owners, books, ask) };
  }

  /** Whether what an owner has spent is known here, even if only as reported by Redis. */
  isKnown(owner: OwnerAsk, { windows }: TakeAsk): boolean {
    const { limits } = owner;
    return !limits.costs || this.#find(owner)?.spend.layout === layoutOf(windows, limits.totalSinceMs);
  }

  #unknownOf(ask: TakeAsk): readonly OwnerAsk[] {
    const unknown: OwnerAsk[] = [];
    for (const owners of ask.alternatives) for (const owner of owners) if (!this.isKnown(owner, ask)) unknown.push(owner);
    return unknown;
  }

  /** A refusal for which this process's own part is already enough. null = Redis has to decide. */
  refusal(ask: TakeAsk, byCost: boolean): KeeperRefusal | null {
    const found = this.#firstWithRoom(ask, { decides: false, instances: 1, byCost });
    return "limit" in found ? found : null;
  }

  /** Books what Redis has granted. */
  hold(owners: readonly OwnerAsk[], ask: TakeAsk): void {
    const books = owners.map((owner) => this.#open(owner, ask.nowMs));
    taken(owners, books, ask);
  }

  /**
   * Ends a request: its reservations are replaced by the actual cost. Books that decide remember it until the ledger shows it. A
   * request counts once.
   */
  settle(request: { id: string; startedAtMs: number }, settlements: readonly Settlement[], nowMs: number, decides: boolean): void {
    for (const settlement of settlements) {
      const book = this.#open(settlement, nowMs);
      this.#endHold(book, request.id);
      if (settlement.limits.costs && settlement.costNanoUsd > 0 && !book.recent.has(request.id)) {
        if (decides && book.recent.size < MAX_RECENT)
          book.recent.set(request.id, { startedAtMs: request.startedAtMs, nanoUsd: settlement.costNanoUsd });
        addSpend(book.spend, request.startedAtMs, settlement.costNanoUsd);
      }
      if (settlement.limits.tpm === null) continue;
      book.tpm ??= newRateWindow(nowMs);
      const more = settlement.tokens - settlement.estimatedTokens;
      if (more >= 0) takeRate(book.tpm, nowMs, more);
      else {
        advanceRate(book.tpm, nowMs);
        returnRate(book.tpm, settlement.second, -more);
      }
    }
  }

  /** Adopts what Redis reported as used when it admitted a request that these books have already taken. */
  learn(owners: readonly OwnerAsk[], used: readonly Partial<Record<CostKind, number>>[], { windows, nowMs }: TakeAsk): void {
    for (const [index, owner] of owners.entries()) {
      const book = this.#find(owner);
      // Redis keeps no sums of an owner without a limit of cost: if one is set later, they have to be read.
      if (!book || !owner.limits.costs) continue;
      book.aloneSince = {};
      for (const [kind, nanoUsd] of Object.entries(used[index] ?? {}) as [CostKind, number][]) {
        const own = spentIn(book.spend, kind, windows, nowMs) + book.reserved;
        const window = kind === "total" ? undefined : windows.fixed[kind];
        const length = kind === "total" ? Number.POSITIVE_INFINITY : (windows.rolling[kind] ?? 0);
        const startMs = kind === "total" ? owner.limits.totalSinceMs : (window?.startMs ?? 0);
        book.others[kind] = { startMs, untilMs: window?.endMs ?? nowMs + length, nanoUsd: Math.max(0, nanoUsd - own) };
      }
      // The past is known now, even if only as a sum.
      book.spend.layout = layoutOf(windows, owner.limits.totalSinceMs);
    }
  }

  /** Requests whose ends or reservations the ledger may show by now. */
  idsOf(ref: OwnerRef): string[] {
    const book = this.#find(ref);
    return book ? [...book.recent.keys(), ...book.live.keys()] : [];
  }

  /** Adopts the ledger's figures; `visible` = requests that its sums include. @returns the largest error of a sum, nano-USD. */
  rebuild(ref: OwnerRef, facts: SpendFacts, visible: ReadonlySet<string>, nowMs: number): number {
    const book = this.#open(ref, nowMs);
    for (const id of visible) {
      if (book.recent.delete(id) || !book.live.has(id)) continue;
      // Ended and charged: its own settlement, which is still on its way, must not count again.
      this.#endHold(book, id);
      book.recent.set(id, { startedAtMs: 0, nanoUsd: 0 });
    }
    const isKnown = book.spend.layout === facts.layout;
    const before = { ...book.spend.sums };
    const starts = { ...book.spend.starts };
    rebuildSpend(book.spend, facts, book.recent.values());
    book.others = {};
    if (!isKnown) return 0;
    const off = costKinds.map((kind) =>
      starts[kind] === facts.starts[kind] ? Math.abs((before[kind] ?? 0) - (book.spend.sums[kind] ?? 0)) : 0,
    );
    return Math.max(...off);
  }

  /** Marks what is known about an owner's past as unreliable. */
  forget(ref: OwnerRef): void {
    const book = this.#find(ref);
    if (book) book.spend.layout = null;
  }

  /** What is used now; changes nothing that counts. */
  usage(ref: OwnerRef, windows: TakeAsk["windows"], nowMs: number): OwnerUsage {
    const book = this.#find(ref);
    if (!book) return { inFlight: 0, rate: [], tokens: [], spent: null, reserved: 0 };
    rotateSpend(book.spend, windows, book.spend.starts.total ?? 0);
    const spent: OwnerUsage["spent"] = {};
    for (const kind of costKinds) spent[kind] = spentIn(book.spend, kind, windows, nowMs) + othersPart(book, kind, windows, nowMs);
    return {
      inFlight: book.live.size,
      rate: book.rpm ? readRate(book.rpm, nowMs) : [],
      tokens: book.tpm ? readRate(book.tpm, nowMs) : [],
      spent: book.spend.layout === null ? null : spent,
      reserved: book.reserved,
    };
  }

  /** Joins the line, as on Redis. @returns since when it waits; null = the line is full. */
  join({ requestId, size, since: before, ...ref }: QueuePlace, nowMs: number): number | null {
    const { queue } = this.#open(ref, nowMs);
    const place = queue.find(({ id }) => id === requestId);
    if (place) return place.since;
    if (before === undefined && queue.length >= size) return null;
    const since = before ?? Math.max(nowMs, (queue.at(-1)?.since ?? 0) + 0.001);
    queue.splice(queue.filter((other) => other.since <= since).length, 0, { id: requestId, since });
    return since;
  }

  leave(ref: OwnerRef, requestId: string): void {
    const book = this.#find(ref);
    if (book) leaveLine(book, requestId);
  }

  /** Owners with a limited cost that were used since then. */
  usedSince(sinceMs: number): string[] {
    return limitOwners.flatMap((owner) =>
      [...this.#books[owner]]
        .filter(([, book]) => book.usedAtMs >= sinceMs && book.spend.layout !== null)
        .map(([id]) => bookName({ owner, id })),
    );
  }

  /** Removes owners that have been idle. */
  sweep(nowMs: number): void {
    for (const books of Object.values(this.#books)) {
      for (const [id, book] of books) {
        trimSpend(book.spend, nowMs);
        for (const window of [book.rpm, book.tpm]) if (window) advanceRate(window, nowMs);
        if (book.rpm?.total === 0) book.rpm = null;
        if (book.tpm?.total === 0) book.tpm = null;
        const isIdle = book.live.size === 0 && book.queue.length === 0 && !book.rpm && !book.tpm && nowMs - book.usedAtMs > IDLE_MS;
        if (isIdle) books.delete(id);
      }
    }
  }

  #firstWithRoom(ask: TakeAsk, role: LocalRole): KeeperRefusal | Room {
    let refusal: KeeperRefusal | null = null;
    for (const [alternative, owners] of ask.alternatives.entries()) {
      // Looked up once: the checks visit each owner once per kind.
      const books = owners.map((owner) => this.#open(owner, ask.nowMs));
      const found = refusalOf(owners, books, ask, role);
      if (!found) return { alternative, owners, books };
      refusal ??= found;
    }
    return refusal ?? { alternative: 0, owners: [], books: [] };
  }

  #find({ owner, id }: OwnerRef): OwnerBook | undefined {
    return this.#books[owner].get(id);
  }

  #open(ref: OwnerRef, nowMs: number): OwnerBook {
    let book = this.#find(ref);
    if (!book) {
      book = {
        ...{ live: new ChurningMap(), reserved: 0, rpm: null, tpm: null, spend: newSpendBook(), recent: new Map() },
        ...{ others: {}, aloneSince: {}, queue: [], usedAtMs: nowMs },
      };
      this.#books[ref.owner].set(ref.id, book);
    }
    book.usedAtMs = nowMs;
    return book;
  }

  #endHold(book: OwnerBook, id: string): void {
    const reserved = book.live.get(id);
    if (reserved === undefined) return;
    book.live.delete(id);
    book.reserved -= reserved;
  }
}

/** Takes everything. @returns what each owner has used now, for the limited kinds of cost. */
function taken(owners: readonly OwnerAsk[], books: readonly OwnerBook[], ask: TakeAsk): Partial<Record<CostKind, number>>[] {
  const { id, nowMs, tokens, windows } = ask;
  return owners.map((owner, index) => {
    const used: Partial<Record<CostKind, number>> = {};
    const book = books[index];
    if (!book) return used;
    if (!book.live.has(id)) {
      const reserved = owner.limits.costs ? owner.costNanoUsd : 0;
      book.live.set(id, reserved);
      book.reserved += reserved;
      if (owner.limits.rpm !== null) book.rpm = takenRate(book.rpm, nowMs, 1);
      if (owner.limits.tpm !== null) book.tpm = takenRate(book.tpm, nowMs, tokens);
      leaveLine(book, id);
    }
    if (!owner.limits.costs) return used;
    for (const kind of Object.keys(owner.limits.costs) as CostKind[]) {
      used[kind] = spentIn(book.spend, kind, windows, nowMs) + book.reserved + othersPart(book, kind, windows, nowMs);
    }
    return used;
  });
}

function leaveLine({ queue }: OwnerBook, requestId: string): void {
  const at = queue.findIndex(({ id }) => id === requestId);
  if (at >= 0) queue.splice(at, 1);
}

function takenRate(window: RateWindow | null, nowMs: number, amount: number): RateWindow {
  const into = window ?? newRateWindow(nowMs);
  takeRate(into, nowMs, amount);
  return into;
}
