import type { Overview, OverviewSeries } from "@sluice/core/overview";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { formatCost, formatCount, formatDuration } from "../../format.ts";
import type { OverviewView } from "../../live/overview-board.ts";
import { useTexts } from "../../text/i18n.ts";
import { type ChartSeries, TimeChart } from "../../ui/time-chart.tsx";

interface OverviewChartsProps {
  view: OverviewView;
  /** The name of a series' id in the dimension of the view. */
  nameOf(id: string): string;
}

const metrics = ["cost", "requests", "tokens", "ttft"] as const;
type Metric = (typeof metrics)[number];

/** Cost, requests, tokens and time to first content over the range, with a common crosshair. Dragging over a range opens its requests. */
export function OverviewCharts({ view, nameOf }: OverviewChartsProps) {
  const { t, language } = useTexts();
  const navigate = useNavigate();
  const { overview } = view;
  const { times, endMs, zone, by } = overview;
  const others = t("overview.others");
  // `view` is a new object after each change; the overview in it is not.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const series = useMemo(() => {
    const of = (metric: Metric): ChartSeries[] => chartSeries(overview, { metric, nameOf, others, language });
    return { cost: of("cost"), requests: of("requests"), tokens: of("tokens"), ttft: of("ttft") };
  }, [view, nameOf, others, language]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const starts = useMemo(() => [...times], [view]);
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      {metrics.map((metric) => (
        <TimeChart
          key={metric}
          title={t("overview.chart", { what: t(`overview.${metric}`), by: t(`overview.by.${by}`) })}
          kind={metric === "ttft" ? "lines" : "bars"}
          times={starts}
          stepMs={endMs - (starts.at(-1) ?? endMs)}
          series={series[metric]}
          zone={zone}
          format={(value) => formatValue(metric, value, language)}
          integers={metric === "requests" || metric === "tokens"}
          sync="overview"
          empty={t("overview.noRequests")}
          onZoom={(fromMs, toMs) => void navigate({ to: "/logs", search: { from: fromMs, to: toMs } })}
        />
      ))}
    </div>
  );
}

function formatValue(metric: Metric, value: number, language: string): string {
  if (metric === "cost") return formatCost(BigInt(Math.round(value * 1e9)).toString());
  return metric === "ttft" ? formatDuration(value) : formatCount(value, language);
}

interface SeriesOptions {
  metric: Metric;
  nameOf(id: string): string;
  others: string;
  language: string;
}

function chartSeries(overview: Overview, options: SeriesOptions): ChartSeries[] {
  return overview.series.map((series, at) => {
    const name = series.id === null ? options.others : options.nameOf(series.id);
    return {
      id: series.id ?? "",
      name,
      color: series.id === null ? "--chart-rest" : `--chart-${at + 1}`,
      values: valuesOf(series, options.metric),
      total: totalOf(series, options),
      ...(series.id === null ? {} : { label: <SeriesLink overview={overview} id={series.id} name={name} /> }),
    };
  });
}

function SeriesLink({ overview: { by, range }, id, name }: { overview: Overview; id: string; name: string }) {
  return (
    <Link to="/logs" search={{ [by]: id, from: `now-${range}` }} title={name} className="truncate hover:text-ink hover:underline">
      {name}
    </Link>
  );
}

/** Cost in dollars as a float, only for the height of a bar; its label uses the exact figure. */
function valuesOf(series: OverviewSeries, metric: Metric): (number | null)[] {
  switch (metric) {
    case "cost":
      return series.costNanoUsd.map((nano) => Number(nano) / 1e9);
    case "ttft":
      return series.ttftCount.map((count, at) => (count > 0 ? (series.ttftMsSum[at] ?? 0) / count : null));
    default:
      return [...series[metric]];
  }
}

function totalOf(series: OverviewSeries, { metric, language }: SeriesOptions): string {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  switch (metric) {
    case "cost":
      return formatCost(series.costNanoUsd.reduce((total, nano) => total + BigInt(nano), 0n).toString());
    case "ttft": {
      const count = sum(series.ttftCount);
      return formatDuration(count > 0 ? sum(series.ttftMsSum) / count : null);
    }
    default:
      return formatCount(sum(series[metric]), language);
  }
}
