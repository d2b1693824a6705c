import type { Span } from "@sluice/core/statistics";
import { wholeMonthsSql } from "@sluice/ledger/key-months";
import type { PoolClient } from "pg";
import { type BucketList, bucketsOf } from "../overview/overview-statements.ts";

/**
 * A span put together of months of universal time and of what is between the first and last of them and its ends: added where the span
 * goes further, taken away where it does not go as far. So it is half a month of days at most at either end, in every zone.
 */
export interface Pieces {
  months: Date[];
  pieces: { sign: 1 | -1; buckets: BucketList }[];
}

/** First moments, ms, of months whose sums of keys are whole. */
export type Months = ReadonlySet<number>;

/** Days, and no months, where one of these is not whole. */
export function piecesOf({ fromMs, toMs, fineFromMs }: Span & { fineFromMs: number }, whole: Months): Pieces {
  const months = monthsOf({ fromMs, toMs });
  const first = months[0];
  const last = months.at(-1);
  if (first === undefined || last === undefined || !months.every((month) => whole.has(month)))
    return { months: [], pieces: [{ sign: 1, buckets: bucketsOf(fromMs, toMs, fineFromMs) }] };
  const piece = (startMs: number, endMs: number): Pieces["pieces"] => {
    const [from, to] = startMs < endMs ? [startMs, endMs] : [endMs, startMs];
    return [{ sign: startMs < endMs ? 1 : -1, buckets: bucketsOf(from, to, fineFromMs) }];
  };
  return { months: months.map((ms) => new Date(ms)), pieces: [...piece(fromMs, first), ...piece(monthAfter(last), toMs)] };
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
