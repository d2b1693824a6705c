import { ChartColumn, Table2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useId, useMemo, useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { cn } from "./class-names.ts";
import { IconButton } from "./icon-button.tsx";
import { ScrollRegion } from "./scroll-region.tsx";

const TimePlot = lazy(() => import("./time-plot.tsx").then(({ TimePlot: one }) => ({ default: one })));

export interface ChartSeries {
  id: string;
  name: string;
  /** Replaces the name in the legend, for example by a link. */
  label?: ReactNode;
  /** A custom property of the theme, such as `--chart-1`. */
  color: string;
  /** One value per bucket; null = nothing was measured (a gap in a line). */
  values: readonly (number | null)[];
  /** The series as a single figure, for the legend and the summary. */
  total?: string;
}

export interface TimeChartProps {
  title: string;
  /** `bars` are stacked in the given order, the first one at the bottom. */
  kind: "bars" | "lines";
  /** Starts of the buckets in ms since the epoch, ascending. */
  times: readonly number[];
  /** Length of the last bucket. */
  stepMs: number;
  series: readonly ChartSeries[];
  /** IANA zone of the displayed times. */
  zone: string;
  format(value: number): string;
  /** Values are counts: the scale has no fractions. */
  integers?: boolean;
  /** Charts with the same name share their crosshair. */
  sync?: string;
  /** Called with a selected range, in ms since the epoch. Without it, dragging is disabled. */
  onZoom?(fromMs: number, toMs: number): void;
  /** Height of the plot in px. */
  height?: number;
  /** Text instead of an empty plot: no series. */
  empty?: string;
  /** Shown beside the button that switches to a table. */
  tools?: ReactNode;
}

/**
 * A chart over time: lines or stacked bars, with a crosshair that charts can share, a tooltip, and the same figures as a table. The only
 * user of uPlot, whose code is loaded with the first chart.
 */
export function TimeChart(props: TimeChartProps) {
  const { title, times, series, zone, stepMs, height = 180, empty, tools } = props;
  const { t, language } = useTexts();
  const id = useId();
  const [asTable, setAsTable] = useState(false);
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null);
  const [inside, setInside] = useState(false);
  const when = useMemo(() => bucketTime(zone, stepMs, language), [zone, stepMs, language]);
  // A rate or duration of 0 is a measurement; a count of 0 is nothing.
  const isNothing = (value: number | null): boolean =>
    value === null || (value === 0 && (props.kind === "bars" || props.integers === true));
  const isEmpty = empty !== undefined && series.every(({ values }) => values.every(isNothing));
  // Series without any value are named below: refused requests cost nothing.
  const nothing = series.length === 0 ? empty : t("chart.nothing");
  const parts = series.map(({ name, total }) => (total === undefined ? name : `${name}: ${total}`)).join(", ");
  const summary = t("chart.summary", { title, from: when(times[0] ?? 0), to: when(times.at(-1) ?? 0), series: isEmpty ? nothing : parts });
  return (
    <figure aria-labelledby={id} className="min-w-0 rounded-xl border border-line bg-surface">
      <figcaption className="flex items-center justify-between gap-2 pt-2 pr-2 pl-4">
        <span id={id} className="truncate text-sm font-medium">
          {title}
        </span>
        <span className="flex items-center">
          {tools}
          <IconButton
            icon={asTable ? ChartColumn : Table2}
            label={t("chart.asTable", { title })}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          />
        </span>
      </figcaption>
      {asTable ? (
        <ChartTable {...props} when={when} />
      ) : (
        <>
          <div className="relative px-2" onPointerEnter={() => setInside(true)} onPointerLeave={() => setInside(false)}>
            <div role="img" aria-label={summary}>
              <Suspense fallback={<div style={{ height }} />}>
                <TimePlot {...props} height={height} language={language} onHover={setHover} />
              </Suspense>
            </div>
            {isEmpty && (
              <p className="pointer-events-none absolute inset-0 flex items-center justify-center pb-6 text-sm text-ink-3">{nothing}</p>
            )}
            {!isEmpty && inside && hover && <Tooltip {...props} at={hover} title={when(times[hover.index] ?? 0)} />}
          </div>
          <Legend series={series} />
        </>
      )}
    </figure>
  );
}

function Legend({ series }: Pick<TimeChartProps, "series">) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 px-4 pt-1 pb-3 text-xs text-ink-2">
      {series.map(({ id, name, label, color, total }) => (
        <li key={id} className="flex min-h-6 min-w-0 items-center gap-1.5">
          <Swatch color={color} />
          <span className="flex max-w-44 min-w-0" title={name}>
            {label ?? <span className="truncate">{name}</span>}
          </span>
          {total !== undefined && <span className="text-ink-3">{total}</span>}
        </li>
      ))}
    </ul>
  );
}

function Swatch({ color }: { color: string }) {
  return <span aria-hidden="true" className="size-2 shrink-0 rounded-[2px]" style={{ background: `var(${color})` }} />;
}

/** The values under the crosshair, largest first, on the side that has room. */
function Tooltip({ series, format, at, title }: TimeChartProps & { at: { index: number; left: number } }) {
  const lines = series
    .map((one) => ({ ...one, value: one.values[at.index] ?? null }))
    .filter(({ value }) => value !== null && value !== 0)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  return (
    <div
      aria-hidden="true"
      className={cn(
        "pointer-events-none absolute top-2 z-10 w-max max-w-64 rounded-lg border border-line bg-raised px-2.5 py-1.5 text-xs shadow-pop",
        "left-(--at) translate-x-3 data-flip:-translate-x-[calc(100%+0.5rem)]",
      )}
      data-flip={at.left > 240 || undefined}
      ref={(node) => node?.style.setProperty("--at", `${at.left}px`)}
    >
      <p className="font-medium text-ink">{title}</p>
      {lines.map(({ id, name, color, value }) => (
        <p key={id} className="flex items-center gap-1.5 text-ink-2">
          <Swatch color={color} />
          <span className="min-w-0 flex-1 truncate pr-3">{name}</span>
          <span className="font-medium text-ink">{format(value ?? 0)}</span>
        </p>
      ))}
    </div>
  );
}

/** The same figures as rows, newest first. */
function ChartTable({ title, times, series, format, when }: TimeChartProps & { when(ms: number): string }) {
  const { t } = useTexts();
  const rows = times.map((ms, index) => ({ ms, index })).reverse();
  return (
    <ScrollRegion label={title} className="max-h-72 overflow-auto border-t border-line">
      <table className="w-full border-collapse text-xs">
        <thead>
          <tr>
            <th scope="col" className="sticky top-0 bg-surface px-4 py-1.5 text-left font-medium text-ink-3">
              {t("chart.time")}
            </th>
            {series.map(({ id, name }) => (
              <th
                key={id}
                scope="col"
                className="sticky top-0 bg-surface px-3 py-1.5 text-right font-medium whitespace-nowrap text-ink-3 last:pr-4"
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ ms, index }) => (
            <tr key={ms} className="border-t border-line">
              <th scope="row" className="px-4 py-1 text-left font-normal whitespace-nowrap text-ink-2">
                {when(ms)}
              </th>
              {series.map(({ id, values }) => (
                <td key={id} className="px-3 py-1 text-right last:pr-4">
                  {values[index] === null || values[index] === undefined ? "—" : format(values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

/** The label of a bucket: the date for days, with the time for shorter ones. */
function bucketTime(zone: string, stepMs: number, language: string): (ms: number) => string {
  const clock: Intl.DateTimeFormatOptions = stepMs >= 23 * 3_600_000 ? {} : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const format = new Intl.DateTimeFormat(language, { timeZone: zone, month: "short", day: "numeric", ...clock });
  return (ms) => format.format(ms);
}
