import { formatUsd } from "@sluice/core/money";
import type { Statistics, StatisticsSeries } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { formatCost, formatCount, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { saveCsv } from "../../statistics/csv.ts";
import { costOf } from "../../statistics/measures.ts";
import type { logSearch } from "../../statistics/search.ts";
import { useTexts } from "../../text/i18n.ts";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { ofSeries } from "./series-logs.ts";

interface SeriesTableProps {
  statistics: Statistics;
  nameOf(id: string | null): string;
  logs: ReturnType<typeof logSearch>;
}

interface SeriesRow {
  id: string | null;
  name: string;
  requests: number;
  tokens: number;
  costNanoUsd: bigint;
  errors: number;
  prompt: number;
  cached: number;
  cacheHitRate: number | null;
  ttftMs: number | null;
  durationMs: number | null;
}

/** The figures of the series, most expensive first; each links to its requests. */
export function SeriesTable({ statistics, nameOf, logs }: SeriesTableProps) {
  const { t, language } = useTexts();
  const { by, series } = statistics;
  const rows = useMemo(() => series.map((one) => rowOf(one, nameOf(one.id))), [series, nameOf]);
  const all = rows.reduce((sum, row) => sum + row.costNanoUsd, 0n);
  if (rows.length === 0) return null;
  const title = t("statistics.table", { by: t(`statistics.by.${by}`).toLowerCase() });
  const columns: DataColumn<SeriesRow>[] = [
    {
      accessorKey: "name",
      header: t(`statistics.field.${by === "none" ? "all" : by}`),
      cell: ({ row: { original } }) => {
        const link = ofSeries(logs, by, original.id);
        return link ? (
          <Link to="/logs" search={link} className="font-medium hover:text-accent-ink hover:underline">
            {original.name}
          </Link>
        ) : (
          <span className="text-ink-2">{original.name}</span>
        );
      },
    },
    number(
      "requests",
      t("overview.requests"),
      (row) => formatCount(row.requests, language),
      (row) => formatExact(row.requests, language),
    ),
    number(
      "tokens",
      t("overview.tokens"),
      (row) => formatCount(row.tokens, language),
      (row) => formatExact(row.tokens, language),
    ),
    number("costNanoUsd", t("overview.cost"), (row) => formatCost(row.costNanoUsd.toString())),
    {
      ...number<SeriesRow>("share", t("statistics.share"), (row) => formatPercent(Number(row.costNanoUsd), Number(all))),
      enableSorting: false,
    },
    { ...number<SeriesRow>("errors", t("overview.errorRate"), (row) => formatPercent(row.errors, row.requests)), wideOnly: true },
    {
      ...number<SeriesRow>("cacheHitRate", t("statistics.measures.cacheHitRate"), (row) => formatPercent(row.cached, row.prompt)),
      wideOnly: true,
    },
    { ...number<SeriesRow>("ttftMs", t("overview.ttft"), (row) => formatDuration(row.ttftMs)), wideOnly: true },
    { ...number<SeriesRow>("durationMs", t("overview.duration"), (row) => formatDuration(row.durationMs)), wideOnly: true },
  ];
  const save = (): void =>
    void saveCsv(
      "statistics",
      [by, "name", "requests", "tokens", "cost_usd", "errors", "ttft_ms", "duration_ms", "cache_hit_rate"],
      rows.map((row) => [
        ...[row.id, row.name, row.requests, row.tokens, formatUsd(row.costNanoUsd), row.errors],
        ...[row.ttftMs, row.durationMs, row.cacheHitRate],
      ]),
    );
  return (
    <div>
      <div className="flex items-center justify-between pr-2 pb-1 pl-4">
        <h2 className="text-sm font-medium">{title}</h2>
        <ChartTools title={title} onCsv={save} />
      </div>
      <DataTable label={title} rows={rows} columns={columns} rowId={({ id }) => id ?? ""} dense />
    </div>
  );
}

function number<T extends object>(
  id: string,
  header: string,
  text: (row: T) => string,
  exact: (row: T) => string | undefined = () => undefined,
): DataColumn<T> {
  return {
    id,
    accessorFn: (row) => (row as Record<string, unknown>)[id],
    header,
    align: "right",
    sortDescFirst: true,
    cell: ({ row: { original } }) => <span title={exact(original)}>{text(original)}</span>,
  };
}

function rowOf(series: StatisticsSeries, name: string): SeriesRow {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const ratio = (total: number, count: number): number | null => (count > 0 ? total / count : null);
  const mean = (total: number, count: number): number | null => (count > 0 ? Math.round(total / count) : null);
  const [requests, prompt, cached] = [sum(series.requests), sum(series.prompt), sum(series.cached)];
  return {
    ...{ id: series.id, name, requests, tokens: sum(series.tokens), costNanoUsd: costOf(series), errors: sum(series.errors) },
    ...{ prompt, cached, cacheHitRate: ratio(cached, prompt) },
    ttftMs: mean(sum(series.ttftMsSum), sum(series.ttftCount)),
    durationMs: mean(sum(series.durationMsSum), requests),
  };
}
