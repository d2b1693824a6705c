import type { Span } from "@sluice/core/statistics";
import { DAY_MS } from "@sluice/core/time-zone";
import { wholeMonthsSql } from "@sluice/ledger/key-months";
import type { PoolClient } from "pg";
import { type BucketList, bucketsOf } from "../overview/overview-statements.ts";

/**
 * A span composed along a path from its beginning to its end: via the midnight nearest to the beginning, the whole UTC months in between,
 * and the midnight nearest to the end. What the path passes forwards is added, what it passes backwards is subtracted. So at most twelve
 * hours and half a month of days are read at either end, in every zone.
 */
export interface Pieces {
  months: Date[];
  pieces: { sign: 1 | -1; buckets: BucketList }[];
}

/** Start times (ms) of months whose sums of keys are complete. */
export type Months = ReadonlySet<number>;

/** In a shorter span there may be no midnight that saves more than has to be subtracted again. */
const SHORTEST_MS = 2 * DAY_MS;

/** Uses days instead of months if one of the months is incomplete. */
export function piecesOf({ fromMs, toMs, fineFromMs }: Span & { fineFromMs: number }, whole: Months): Pieces {
  if (toMs - fromMs < SHORTEST_MS) return { months: [], pieces: [{ sign: 1, buckets: bucketsOf(fromMs, toMs, fineFromMs) }] };
  const piece = (startMs: number, endMs: number): Pieces["pieces"] => {
    const [from, to] = startMs < endMs ? [startMs, endMs] : [endMs, startMs];
    return from === to ? [] : [{ sign: startMs < endMs ? 1 : -1, buckets: bucketsOf(from, to, fineFromMs) }];
  };
  const [firstDay, lastDay] = [nearestDay(fromMs), nearestDay(toMs)];
  const ends = [...piece(fromMs, firstDay), ...piece(lastDay, toMs)];
  const months = monthsOf({ fromMs, toMs });
  const [first, last] = [months[0], months.at(-1)];
  if (first === undefined || last === undefined || !months.every((month) => whole.has(month)))
    return { months: [], pieces: [...piece(firstDay, lastDay), ...ends] };
  return { months: months.map((ms) => new Date(ms)), pieces: [...piece(firstDay, first), ...piece(monthAfter(last), lastDay), ...ends] };
}

/** Which of the months that these spans consist of are complete. */
export async function readWholeMonths(client: PoolClient, tenantId: string, spans: readonly (Span | null)[]): Promise<Months> {
  const months = spans.flatMap((span) => (span === null ? [] : monthsOf(span)));
  if (months.length === 0) return new Set();
  const { rows } = await client.query<{ bucket: Date }>(wholeMonthsSql, [tenantId, months.map((ms) => new Date(ms))]);
  return new Set(rows.map(({ bucket }) => bucket.getTime()));
}

/** From the month start nearest to the beginning to the one nearest to the end. */
function monthsOf({ fromMs, toMs }: Span): number[] {
  const endMs = nearestMonth(toMs);
  const months: number[] = [];
  for (let ms = nearestMonth(fromMs); ms < endMs; ms = monthAfter(ms)) months.push(ms);
  return months;
}

function nearestDay(ms: number): number {
  return Math.round(ms / DAY_MS) * DAY_MS;
}

function nearestMonth(ms: number): number {
  const date = new Date(ms);
  const startMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const nextMs = monthAfter(startMs);
  return ms - startMs < nextMs - ms ? startMs : nextMs;
}

function monthAfter(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
