/**
 * Durations as counts in fixed buckets, from which quantiles of any range, filter or sum can be read. A sketch is one
 * decimal number in which every bucket has ten digits, bucket 0 the lowest, so that Postgres merges sketches with `+` and
 * `sum()`, and a sketch of a few seconds takes a few bytes (a NUMERIC stores no zeros at its ends). A bucket overflows
 * at 10^10 requests.
 *
 * Bucket 0 is 0 ms; bucket i holds the whole milliseconds from `bounds[i - 1]` to below `bounds[i]`, and its last is at most
 * 1.1 times its first. A bucket is represented by the harmonic mean of the two, so a quantile differs from the true one (by
 * nearest rank) by at most 0.1 / 2.1 < 4.8 %, up to the last bound, a day.
 */
const DAY_MS = 86_400_000;
const DIGITS = 10;

/** First milliseconds of buckets 1, 2, …, ascending. */
export const sketchBounds: readonly number[] = makeBounds();

/** Maximum relative error of a quantile. */
export const SKETCH_ERROR = 0.1 / 2.1;

/** Requests by bucket; missing buckets at the end are zero. */
export type LatencyCounts = number[];

function makeBounds(): number[] {
  const bounds = [1];
  // In integers, because 1.1 is not exact in binary.
  for (let last = 1; last < DAY_MS; ) {
    last = Math.floor((last * 11) / 10) + 1;
    bounds.push(last);
  }
  return bounds;
}

/** The bucket of a duration in ms, rounded to whole ms. */
export function bucketOfMs(ms: number): number {
  const whole = Math.round(ms);
  let low = 0;
  let high = sketchBounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sketchBounds[middle] ?? 0) <= whole) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Counts one more request of this duration. Changes `counts` in place. */
export function countMs(counts: LatencyCounts, ms: number): void {
  const bucket = bucketOfMs(ms);
  while (counts.length <= bucket) counts.push(0);
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

/** The sum of both. */
export function mergeCounts(a: LatencyCounts, b: LatencyCounts): LatencyCounts {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long.map((count, bucket) => count + (short[bucket] ?? 0));
}

/** Reads a stored sketch as Postgres writes a NUMERIC. @throws RangeError when it is not one. */
export function readSketch(text: string): LatencyCounts {
  if (!/^\d+$/.test(text)) throw new RangeError("a sketch is one whole number");
  const counts: LatencyCounts = [];
  if (text === "0") return counts;
  for (let end = text.length; end > 0; end -= DIGITS) counts.push(Number(text.slice(Math.max(0, end - DIGITS), end)));
  return counts;
}

/** Writes the number that {@link readSketch} reads. */
export function writeSketch(counts: LatencyCounts): string {
  const digits = counts.map((count) => String(count).padStart(DIGITS, "0")).reverse();
  return digits.join("").replace(/^0+(?=\d)/, "") || "0";
}

/** SQL for the sketch of one duration in whole ms; null gives null. Sums of it are sketches. */
export function sketchSql(column: string): string {
  return `('1e' || ${DIGITS} * width_bucket(${column}, '{${sketchBounds.join(",")}}'::int[]))::numeric`;
}

/** ms within which `share` (0 to 1) of the requests were done, by nearest rank; null when there are none. */
export function quantileMs(counts: LatencyCounts, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(Math.min(1, share) * total));
  let passed = 0;
  const bucket = counts.findIndex((count) => {
    passed += count;
    return passed >= rank;
  });
  return middleOf(bucket);
}

function middleOf(bucket: number): number {
  if (bucket === 0) return 0;
  const first = sketchBounds[bucket - 1] ?? 0;
  const next = sketchBounds[bucket];
  if (next === undefined) return first;
  return (2 * first * (next - 1)) / (first + next - 1);
}

/** ms, each within 5 % of the true value; null when nothing was measured. */
export interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
  requests: number;
}

export function percentilesOf(counts: LatencyCounts): Percentiles {
  const of = (share: number): number | null => quantileMs(counts, share);
  return { p50: of(0.5), p95: of(0.95), p99: of(0.99), requests: counts.reduce((sum, count) => sum + count, 0) };
}
