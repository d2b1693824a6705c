import type { SpanSums } from "@sluice/core/statistics";
import { DAY_MS } from "@sluice/core/time-zone";
import { type BucketList, bucketsOf, joinBuckets } from "../overview/overview-statements.ts";

/**
 * Days of a zone are put together of days of universal time, and of what is between the beginning of each and the midnight next to it: that is
 * taken from the day on the one side of it and given to the one on the other. Of Shanghai a day and eight hours are read for each of its
 * days, where its 24 hours are three times as many.
 */
export interface SlotPieces {
  parts: SlotPart[];
  /** Which slots what is summed up under a number moves, and whether it adds to them. */
  moves: readonly (readonly SlotMove[])[];
}

/** Buckets, summed up by the last of the ascending times at or before theirs; numbered from `first` on. */
export interface SlotPart {
  first: number;
  times: Date[];
  buckets: BucketList;
}

export interface SlotMove {
  slot: number;
  sign: 1 | -1;
}

/** Slots that begin at these times, the last one ending at `endMs`. */
export function slotPieces({ times, endMs }: { times: readonly number[]; endMs: number }, fineFromMs: number): SlotPieces {
  const edges = [...times, endMs];
  const spans = edges.slice(1).map((end, at): Stretch => [edges[at] ?? end, end]);
  const midnights = edges.map((ms) => Math.round(ms / DAY_MS) * DAY_MS);
  const own: SlotMove[][] = times.map((_, slot) => [{ slot, sign: 1 }]);
  // Of less than a day there is no midnight in each; and days of universal time need nothing else.
  if (spans.some(([from, to]) => to - from < SHORTEST_DAY_MS) || edges.every((ms, at) => ms === midnights[at]))
    return { parts: [{ first: 0, times: times.map((ms) => new Date(ms)), buckets: bucketsIn(spans, fineFromMs) }], moves: own };
  const between = edges.map((ms, at): Stretch => {
    const midnight = midnights[at] ?? ms;
    return ms < midnight ? [ms, midnight] : [midnight, ms];
  });
  const days = times.map((_, at): Stretch => [midnights[at] ?? 0, midnights[at + 1] ?? 0]);
  return {
    parts: [
      { first: 0, times: startsOf(days), buckets: bucketsIn(days, fineFromMs) },
      { first: times.length, times: startsOf(between), buckets: bucketsIn(between, fineFromMs) },
    ],
    moves: [...own, ...edges.map((ms, at) => movesOf(at, ms > (midnights[at] ?? ms) ? 1 : -1, times.length))],
  };
}

/** A day on which clocks change is an hour shorter, and its first hour may be cut. */
const SHORTEST_DAY_MS = DAY_MS - 4 * 3_600_000;

/** What is after midnight before a beginning is of the slot that ends there. */
function movesOf(at: number, sign: 1 | -1, slots: number): SlotMove[] {
  return [
    ...(at > 0 ? [{ slot: at - 1, sign }] : []),
    ...(at < slots ? [{ slot: at, sign: sign > 0 ? (-1 as const) : (1 as const) }] : []),
  ];
}

type Stretch = [fromMs: number, toMs: number];

const startsOf = (stretches: readonly Stretch[]): Date[] => stretches.map(([fromMs]) => new Date(fromMs));

function bucketsIn(spans: readonly Stretch[], fineFromMs: number): BucketList {
  return joinBuckets(spans.map(([from, to]) => bucketsOf(from, to, fineFromMs)));
}

/** Sums under a number of some pieces. */
export interface SlotSums extends SpanSums {
  slot: number;
  id: string | null;
}

/** What slots are moved by, of what was summed up by pieces of them. */
export function slotsOf({ moves }: SlotPieces, rows: readonly SlotSums[]): SlotSums[] {
  return rows.flatMap((row) => (moves[row.slot] ?? []).map(({ slot, sign }) => ({ ...(sign > 0 ? row : negated(row)), slot })));
}

/** Taken away instead of added. Each by its name: there is one for every row of a chart. */
export function negated(row: SlotSums): SlotSums {
  return {
    ...{ slot: row.slot, id: row.id },
    ...{ requests: -row.requests, errors: -row.errors, aborted: -row.aborted, refused: -row.refused },
    ...{ input: -row.input, output: -row.output, cacheWrite: -row.cacheWrite, cacheRead: -row.cacheRead },
    costNanoUsd: minus(row.costNanoUsd),
    ...{ ttftCount: -row.ttftCount, ttftMsSum: -row.ttftMsSum, durationMsSum: -row.durationMsSum },
  };
}

function minus(decimal: string): string {
  if (decimal === "0") return decimal;
  return decimal.startsWith("-") ? decimal.slice(1) : `-${decimal}`;
}

/** How often each number counts in the sum of all slots: what only moves from one to the next does not. */
export function weightsOf({ moves }: SlotPieces): number[] {
  return moves.map((of) => of.reduce((sum, { sign }) => sum + sign, 0));
}
