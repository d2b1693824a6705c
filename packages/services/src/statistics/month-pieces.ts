import type { Span } from "@sluice/core/statistics";
import { DAY_MS } from "@sluice/core/time-zone";
import { wholeMonthsSql } from "@sluice/ledger/key-months";
import type { PoolClient } from "pg";
import { type BucketList, bucketsOf } from "../overview/overview-statements.ts";

/**
 * A span put together on the way from its beginning to its end, by the midnight nearest to the beginning, the months of universal time
 * between, and the midnight nearest to the end: what is passed forwards is added, what is passed backwards taken away. So it is twelve
 * hours and half a month of days at most at either end, in every zone.
 */
export interface Pieces {
  months: Date[];
  pieces: { sign: 1 | -1; buckets: BucketList }[];
}

/** First moments, ms, of months whose sums of keys are whole. */
export type Months = ReadonlySet<number>;

/** Of less there need be no midnight at which more is gained than has to be taken away again. */
const SHORTEST_MS = 2 * DAY_MS;

/** Days, and no months, where one of these is not whole. */
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

/** Which of the months that these spans are put together of may be read. */
export async function readWholeMonths(client: PoolClient, tenantId: string, spans: readonly (Span | null)[]): Promise<Months> {
  const months = spans.flatMap((span) => (span === null ? [] : monthsOf(span)));
  if (months.length === 0) return new Set();
  const { rows } = await client.query<{ bucket: Date }>(wholeMonthsSql, [tenantId, months.map((ms) => new Date(ms))]);
  return new Set(rows.map(({ bucket }) => bucket.getTime()));
}

/** From the start of a month that is nearest to the beginning to the one that is nearest to the end. */
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
