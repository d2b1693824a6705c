import { addAt, type Sums, zeroColumns } from "./overview.ts";
import type { StatisticsColumns } from "./statistics.ts";

export function zeroStatisticsColumns(buckets: number): StatisticsColumns {
  const zeros = (): number[] => new Array<number>(buckets).fill(0);
  return { ...zeroColumns(buckets), prompt: zeros(), cached: zeros() };
}

/** Adds to one bucket, in place; ignored when out of range. */
export function addToStatistics(columns: StatisticsColumns, at: number, sums: Sums): void {
  if (at < 0 || at >= columns.requests.length) return;
  addAt(columns, at, sums);
  columns.prompt[at] = (columns.prompt[at] ?? 0) + sums.input + sums.cacheWrite + sums.cacheRead;
  columns.cached[at] = (columns.cached[at] ?? 0) + sums.cacheRead;
}
