import type { SpanSums } from "@sluice/core/statistics";
import { DAY_MS } from "@sluice/core/time-zone";
import { type BucketList, bucketsOf, joinBuckets } from "../overview/overview-statements.ts";

/**
 * Days of a zone, composed of UTC days and of the piece between each day's beginning and the nearest UTC midnight: that piece is
 * subtracted from the day on one side and added to the one on the other. For Shanghai this reads a day and eight hours per day, instead
 * of three times as many rows for 24 hours.
 */
export interface SlotPieces {
  parts: SlotPart[];
  /** For each part's number: the slots that its sums change, and with which sign. */
  moves: readonly (readonly SlotMove[])[];
}

/** Buckets, grouped by the last of the ascending times at or before theirs; groups are numbered from `first`. */
export interface SlotPart {
  first: number;
  times: Date[];
  buckets: BucketList;
}

export interface SlotMove {
  slot: number;
  sign: 1 | -1;
}

/** Slots that begin at these times; the last one ends at `endMs`. */
export function slotPieces({ times, endMs }: { times: readonly number[]; endMs: number }, fineFromMs: number): SlotPieces {
  const edges = [...times, endMs];
  const spans = edges.slice(1).map((end, at): Stretch => [edges[at] ?? end, end]);
  const midnights = edges.map((ms) => Math.round(ms / DAY_MS) * DAY_MS);
  const own: SlotMove[][] = times.map((_, slot) => [{ slot, sign: 1 }]);
  // Slots below a day do not each contain a midnight, and UTC days need no pieces.
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

/** Time between a midnight and the later beginning of a slot belongs to the slot before. */
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

/** Sums of one numbered part. */
export interface SlotSums extends SpanSums {
  slot: number;
  id: string | null;
}

/** Applies the parts' sums to the slots they change. */
export function slotsOf({ moves }: SlotPieces, rows: readonly SlotSums[]): SlotSums[] {
  return rows.flatMap((row) => (moves[row.slot] ?? []).map(({ slot, sign }) => ({ ...(sign > 0 ? row : negated(row)), slot })));
}

/** The sums with inverted sign. Written out per field for speed: this runs for every row of a chart. */
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

/** The weight of each part in the total of all slots: 0 for pieces that only move from one slot to the next. */
export function weightsOf({ moves }: SlotPieces): number[] {
  return moves.map((of) => of.reduce((sum, { sign }) => sum + sign, 0));
}
