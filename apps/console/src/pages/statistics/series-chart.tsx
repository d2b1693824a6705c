import type { Statistics } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { saveSeriesCsv } from "../../statistics/csv.ts";
import { cellsOf, formatMeasure, isCounted, isLine, type Measure, totalOf, valuesOf } from "../../statistics/measures.ts";
import type { logSearch } from "../../statistics/search.ts";
import { useTexts } from "../../text/i18n.ts";
import { type ChartSeries, TimeChart } from "../../ui/time-chart.tsx";
import { ofSeries } from "./series-logs.ts";

interface SeriesChartProps {
  statistics: Statistics;
  measure: Measure;
  nameOf(id: string | null): string;
  logs: ReturnType<typeof logSearch>;
  onZoom(fromMs: number, toMs: number): void;
}

/** Number of theme colours before the grey of the rest. */
const COLORS = 6;

/** One measure over the range, one colour per series. */
export function SeriesChart({ statistics, measure, nameOf, logs, onZoom }: SeriesChartProps) {
  const { t, language } = useTexts();
  const { by, times, endMs, zone, series: all } = statistics;
  const title = t("overview.chart", { what: t(`statistics.measures.${measure}`), by: t(`statistics.by.${by}`).toLowerCase() });
  const series = useMemo(
    () =>
      all.map((one, at): ChartSeries => {
        const name = nameOf(one.id);
        const link = ofSeries(logs, by, one.id);
        return {
          id: one.id ?? "",
          name,
          color: one.id === null && by !== "none" ? "--chart-rest" : `--chart-${(at % COLORS) + 1}`,
          values: valuesOf(one, measure),
          total: totalOf(one, measure, language),
          ...(link && {
            label: (
              <Link to="/logs" search={link} title={name} className="truncate hover:text-ink hover:underline">
                {name}
              </Link>
            ),
          }),
        };
      }),
    [all, by, logs, measure, nameOf, language],
  );
  const save = (): void =>
    void saveSeriesCsv(
      `statistics-${measure}`,
      times,
      all.map((one) => ({ name: nameOf(one.id), cells: cellsOf(one, measure) })),
    );
  return (
    <TimeChart
      title={title}
      kind={isLine(measure) ? "lines" : "bars"}
      times={times}
      stepMs={endMs - (times.at(-1) ?? endMs)}
      series={series}
      zone={zone}
      format={(value) => formatMeasure(measure, value, language)}
      integers={isCounted(measure)}
      empty={t("overview.noRequests")}
      height={260}
      onZoom={onZoom}
      tools={<ChartTools title={title} logs={logs} onCsv={save} />}
    />
  );
}
