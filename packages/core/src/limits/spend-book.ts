import { bucketLeavesMs, type CostWindows, firstBucket, spendBucket } from "./cost-windows.ts";
import { type CostKind, costKinds } from "./limit-values.ts";

/**
 * What one owner has spent, by window: sums that are reset with each window, and buckets for rolling windows. A cost
 * counts at the time its request began, as in the rollups. Amounts are nano-USD as integral doubles (see limit-values).
 * Admission's Lua scripts compute the same.
 */
export interface SpendBook {
  /** The rules its sums were made with; null = the past is unknown. */
  layout: string | null;
  /** Start of the window that each sum covers. */
  starts: Partial<Record<CostKind, number>>;
  sums: Partial<Record<CostKind, number>>;
  buckets: Map<number, number>;
}

/** A book without knowledge of the past. */
export function newSpendBook(): SpendBook {
  return { layout: null, starts: {}, sums: {}, buckets: new Map() };
}

/** What the ledger knew when it was read: sums of windows with their starts, and buckets. */
export interface SpendFacts {
  layout: string;
  starts: Partial<Record<CostKind, number>>;
  sums: Partial<Record<CostKind, number>>;
  buckets: ReadonlyMap<number, number>;
}

/** The layout includes, besides the rules, since when the total counts. */
export function layoutOf(windows: CostWindows, totalSinceMs: number): string {
  return `${windows.layout} ${totalSinceMs}`;
}

/** Resets the sums of windows that are over. A book ahead of this clock stays as it is. */
export function rotateSpend(book: SpendBook, windows: CostWindows, totalSinceMs: number): void {
  if (book.starts.total !== totalSinceMs) {
    book.starts.total = totalSinceMs;
    book.sums.total = 0;
  }
  for (const [kind, { startMs }] of Object.entries(windows.fixed) as [CostKind, { startMs: number }][]) {
    const known = book.starts[kind];
    if (known !== undefined && known >= startMs) continue;
    book.starts[kind] = startMs;
    book.sums[kind] = 0;
  }
}

/** Books the cost of a request that began at that time. */
export function addSpend(book: SpendBook, startedAtMs: number, nanoUsd: number): void {
  for (const kind of costKinds) {
    const start = book.starts[kind];
    if (start !== undefined && startedAtMs >= start) book.sums[kind] = (book.sums[kind] ?? 0) + nanoUsd;
  }
  const bucket = spendBucket(startedAtMs);
  book.buckets.set(bucket, (book.buckets.get(bucket) ?? 0) + nanoUsd);
}

/** What is spent in the window of a kind. */
export function spentIn(book: SpendBook, kind: CostKind, windows: CostWindows, nowMs: number): number {
  const length = kind === "total" ? undefined : windows.rolling[kind];
  if (length === undefined) return book.sums[kind] ?? 0;
  const first = firstBucket(nowMs, length);
  let sum = 0;
  for (const [bucket, cost] of book.buckets) if (bucket >= first) sum += cost;
  return sum;
}

/** When at most `room` will be left spent in a window, ms; null = never (a total is not reset by time). */
export function spendFreesAtMs(book: SpendBook, kind: CostKind, windows: CostWindows, at: { nowMs: number; room: number }): number | null {
  if (kind === "total") return null;
  const length = windows.rolling[kind];
  if (length === undefined) return windows.fixed[kind]?.endMs ?? null;
  const first = firstBucket(at.nowMs, length);
  let left = spentIn(book, kind, windows, at.nowMs);
  let frees = at.nowMs + 1_000;
  for (const bucket of [...book.buckets.keys()].sort((a, b) => a - b)) {
    if (left <= at.room) break;
    if (bucket < first) continue;
    left -= book.buckets.get(bucket) ?? 0;
    frees = bucketLeavesMs(bucket, length);
  }
  return frees;
}

/** Deletes buckets that no longer count in any window. */
export function trimSpend(book: SpendBook, nowMs: number): void {
  const oldest = firstBucket(nowMs, 86_400_000);
  for (const bucket of book.buckets.keys()) if (bucket < oldest) book.buckets.delete(bucket);
}

/** Replaces the book with the ledger's figures; `recent` is what these do not include yet. */
export function rebuildSpend(book: SpendBook, facts: SpendFacts, recent: Iterable<{ startedAtMs: number; nanoUsd: number }>): void {
  book.layout = facts.layout;
  book.starts = { ...facts.starts };
  book.sums = { ...facts.sums };
  book.buckets = new Map(facts.buckets);
  for (const { startedAtMs, nanoUsd } of recent) addSpend(book, startedAtMs, nanoUsd);
}
