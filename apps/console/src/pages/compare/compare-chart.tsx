import type { Comparison } from "@sluice/core/statistics";
import { useMemo } from "react";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { saveSeriesCsv } from "../../statistics/csv.ts";
import { cellsOf, formatMeasure, isCounted, type Measure, totalOf, valuesOf } from "../../statistics/measures.ts";
import { useTexts } from "../../text/i18n.ts";
import { type ChartSeries, TimeChart } from "../../ui/time-chart.tsx";

interface CompareChartProps {
  comparison: Comparison;
  measure: Measure;
  nameOf(id: string): string;
  onZoom(fromMs: number, toMs: number): void;
}

/** One measure over the range, with a line per entry; failed entries have none. */
export function CompareChart({ comparison, measure, nameOf, onZoom }: CompareChartProps) {
  const { t, language } = useTexts();
  const { times, endMs, zone, by, entries } = comparison;
  const title = t("compare.chart", { what: t(`statistics.measures.${measure}`) });
  const trends = useMemo(() => entries.flatMap((entry, at) => (entry.failed ? [] : { id: entry.id, at, trend: entry.trend })), [entries]);
  const series = trends.map(
    ({ id, at, trend }): ChartSeries => ({
      id: `${by} ${id}`,
      name: nameOf(id),
      color: `--chart-${at + 1}`,
      values: valuesOf(trend, measure),
      total: totalOf(trend, measure, language),
    }),
  );
  const save = (): void =>
    void saveSeriesCsv(
      `compare-${measure}`,
      times,
      trends.map(({ id, trend }) => ({ name: nameOf(id), cells: cellsOf(trend, measure) })),
    );
  return (
    <TimeChart
      title={title}
      kind="lines"
      times={times}
      stepMs={endMs - (times.at(-1) ?? endMs)}
      series={series}
      zone={zone}
      format={(value) => formatMeasure(measure, value, language)}
      integers={isCounted(measure)}
      empty={t("overview.noRequests")}
      height={240}
      onZoom={onZoom}
      tools={<ChartTools title={title} onCsv={save} />}
    />
  );
}
