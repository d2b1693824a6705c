import type { StatisticsFilter } from "@sluice/core/inputs/statistics";
import { sumsOf } from "@sluice/core/overview";
import type { RequestRow } from "@sluice/core/requests";
import type { SeriesSplit, SpanSums, Statistics, StatisticsSeries, Usage } from "@sluice/core/statistics";
import { addToStatistics, zeroStatisticsColumns } from "@sluice/core/statistics-columns";
import { statusClassOf } from "@sluice/core/status-class";

/** Adds requests that ended since to answers about the past. Returns copies, so that the answers stay unchanged. */

/** Whether a row matches the filter. Rows carry no tags, so with a filter by tag none does until the answer is read again. */
function isCounted(row: RequestRow, filter: StatisticsFilter): boolean {
  const { userId, keyId, providerId, model, group, dialect, statusClass, tag } = filter;
  const is = (wanted: string | undefined, value: string): boolean => wanted === undefined || wanted === value;
  return (
    tag === undefined &&
    is(userId, row.userId) &&
    is(keyId, row.keyId) &&
    is(providerId, row.providerId) &&
    is(model, row.model) &&
    is(group, row.group) &&
    is(dialect, row.dialect) &&
    is(statusClass, statusClassOf(row))
  );
}

function idOf(row: RequestRow, by: SeriesSplit): string | null {
  switch (by) {
    case "none":
      return null;
    case "model":
      return row.model;
    case "provider":
      return row.providerId;
    case "user":
      return row.userId;
    case "key":
      return row.keyId;
    case "group":
      return row.group;
    case "dialect":
      return row.dialect;
    default:
      return statusClassOf(row);
  }
}

/** Index of the row's bucket; -1 = outside. */
function bucketOf({ times, endMs }: { times: readonly number[]; endMs: number }, { startedAtMs }: RequestRow): number {
  return startedAtMs >= endMs ? -1 : times.findLastIndex((ms) => ms <= startedAtMs);
}

export function moveSeries(statistics: Statistics, rows: readonly RequestRow[], filter: StatisticsFilter): Statistics {
  const counted = rows.filter((row) => isCounted(row, filter) && bucketOf(statistics, row) >= 0);
  if (counted.length === 0) return statistics;
  const series = new Map(statistics.series.map((one) => [one.id, structuredClone(one)]));
  for (const row of counted) {
    const id = idOf(row, statistics.by);
    const known = series.get(id) ?? series.get(null);
    const one: StatisticsSeries = known ?? { id, ...zeroStatisticsColumns(statistics.times.length) };
    if (!known) series.set(id, one);
    addToStatistics(one, bucketOf(statistics, row), sumsOf(row));
  }
  // The others stay last.
  const others = series.get(null);
  return { ...statistics, series: [...[...series.values()].filter(({ id }) => id !== null), ...(others ? [others] : [])] };
}

/** The totals; those of the span before stay. */
export function moveTotals(usage: Usage, rows: readonly RequestRow[], filter: StatisticsFilter): SpanSums {
  const totals = { ...usage.totals };
  for (const row of rows) {
    if (!isCounted(row, filter) || bucketOf(usage, row) < 0) continue;
    const { costNanoUsd, ...sums } = sumsOf(row);
    for (const [name, value] of Object.entries(sums)) totals[name as keyof typeof sums] += value;
    totals.costNanoUsd = (BigInt(totals.costNanoUsd) + BigInt(costNanoUsd)).toString();
    if (row.correctsId === null) {
      totals.aborted += row.state === "aborted" ? 1 : 0;
      totals.refused += row.state === "refused" ? 1 : 0;
    }
  }
  return totals;
}
