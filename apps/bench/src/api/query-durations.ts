/**
 * The p-th quantile of `db_query_duration_seconds` over all tables between two reads of /metrics, in ms: the upper bound of its bucket.
 */
export function queryQuantileMs(before: string, after: string, p: number): number {
  const [was, is] = [bucketsOf(before), bucketsOf(after)];
  const counts = [...is].map(([le, count]): [number, number] => [le, count - (was.get(le) ?? 0)]).sort(([a], [b]) => a - b);
  const all = counts.at(-1)?.[1] ?? 0;
  return (counts.find(([, count]) => all > 0 && count >= all * p)?.[0] ?? Number.POSITIVE_INFINITY) * 1_000;
}

/** Number of statements between two reads. */
export function queriesBetween(before: string, after: string): number {
  const all = (text: string): number => bucketsOf(text).get(Number.POSITIVE_INFINITY) ?? 0;
  return all(after) - all(before);
}

/** Upper bound in seconds → number of statements that took at most that long. */
function bucketsOf(text: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [, le = "", count] of text.matchAll(/^db_query_duration_seconds_bucket\{[^}]*?le="([^"]+)"[^}]*\} (\d+)$/gm)) {
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    counts.set(bound, (counts.get(bound) ?? 0) + Number(count));
  }
  return counts;
}
