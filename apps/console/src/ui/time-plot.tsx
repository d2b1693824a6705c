import { useEffect, useRef, useSyncExternalStore } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./time-plot.css";
import type { TimeChartProps } from "./time-chart.tsx";

type TimePlotProps = Pick<
  TimeChartProps,
  "kind" | "times" | "stepMs" | "series" | "zone" | "format" | "integers" | "sync" | "onZoom" | "height"
> & {
  language: string;
  /** Bucket under the crosshair, even when another chart with the same `sync` moved it; null = none. `left` is in px of the plot. */
  onHover(at: { index: number; left: number } | null): void;
};

const DAY_MS = 86_400_000;
const GAP_PX = 6;
const MIN_LABEL_PX = 40;
/** A shorter drag was a click. */
const MIN_DRAG_PX = 6;

/** The canvas itself: a separate chunk, loaded with the first chart. */
export function TimePlot(props: TimePlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const theme = useSyncExternalStore(subscribeTheme, currentTheme);
  const { kind, times, series, zone, language, height = 180, integers = false, sync = "" } = props;
  // What requires a new chart; new numbers are set below without recreating it.
  const shape = JSON.stringify([series.map(({ id, color }) => [id, color]), kind, zone, language, theme, integers, sync]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for everything that makes another chart
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const made = new uPlot(optionsOf(latest, { width: host.clientWidth, height }), dataOf(latest.current), host);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (host.clientWidth > 0 && host.clientWidth !== made.width) made.setSize({ width: host.clientWidth, height });
    });
    observer.observe(host);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, height]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: read through `latest`
  useEffect(() => {
    plot.current?.setData(dataOf(latest.current));
  }, [times, series]);

  return <div ref={box} aria-hidden="true" style={{ height }} />;
}

/** Stacked bars are drawn from the tallest sum down, each over the previous one: no bands, and one path per series. */
function dataOf({ kind, times, series }: TimePlotProps): uPlot.AlignedData {
  if (kind === "lines") return [times as number[], ...series.map(({ values }) => values as (number | null)[])];
  const sums: number[][] = [];
  let below: readonly number[] = times.map(() => 0);
  for (const { values } of series) {
    const sum = below.map((base, at) => base + (values[at] ?? 0));
    sums.push(sum);
    below = sum;
  }
  return [times as number[], ...sums.reverse()];
}

function optionsOf(latest: { readonly current: TimePlotProps }, size: { width: number; height: number }): uPlot.Options {
  const { kind, series, zone, language, integers, sync } = latest.current;
  const ink = cssColor("--ink-3");
  const line = cssColor("--line");
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const drawn = kind === "bars" ? [...series].reverse() : series;
  const axis = { stroke: ink, font, ticks: { show: false }, grid: { stroke: line, width: 1 } } as const;
  return {
    ...size,
    ms: 1,
    tzDate: (ms) => uPlot.tzDate(new Date(ms), zone),
    legend: { show: false },
    // Space for the right half of the last time label.
    padding: [8, 18, 0, 0],
    cursor: {
      y: false,
      points: { show: kind === "lines" },
      drag: { x: true, y: false, setScale: false },
      ...(sync ? { sync: { key: sync, setSeries: false, scales: ["x", null] } } : {}),
    },
    select: { show: latest.current.onZoom !== undefined, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: true, range: () => spanOf(latest.current) },
      y: { range: (_plot, _min, max) => (max > 0 ? [0, uPlot.rangeNum(0, max, 0.08, true)[1]] : [0, 1]) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 64,
        values: (_plot, splits, _axis, _space, step) => timeLabels(splits, step, zone, language),
      },
      {
        ...axis,
        size: (plot, labels) => widthOf(plot, labels ?? [], font) + 2 * GAP_PX,
        gap: GAP_PX,
        space: 36,
        // The scale of a plot without values is made up.
        values: (_plot, splits) => splits.map((value) => (value > 0 && isBlank(latest.current) ? "" : latest.current.format(value))),
        ...(integers
          ? { incrs: [1, 2, 5].flatMap((one) => Array.from({ length: 15 }, (_, power) => one * 10 ** power)).sort((a, b) => a - b) }
          : {}),
      },
    ],
    series: [
      {},
      ...drawn.map(({ color }): uPlot.Series => {
        const stroke = cssColor(color);
        if (kind === "lines") return { stroke, width: 1.5, spanGaps: true, points: { size: 4, filter: lonePoint } };
        const bars = uPlot.paths.bars?.({ size: [0.84, 48], align: 1 });
        return { stroke, fill: stroke, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) };
      }),
    ],
    hooks: {
      setCursor: [(plot) => latest.current.onHover(hoverOf(plot))],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width >= MIN_DRAG_PX)
            latest.current.onZoom?.(Math.floor(plot.posToVal(left, "x")), Math.ceil(plot.posToVal(left + width, "x")));
          if (width > 0) plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function isBlank({ series }: TimePlotProps): boolean {
  return series.every(({ values }) => values.every((value) => value === null || value === 0));
}

/** Width of the widest label in px, with a minimum that lets charts below each other line up. */
function widthOf({ ctx }: uPlot, labels: readonly string[], font: string): number {
  ctx.save();
  ctx.font = font;
  const widest = Math.max(MIN_LABEL_PX, ...labels.map((label) => ctx.measureText(label).width));
  ctx.restore();
  return Math.ceil(widest);
}

/** From the first bucket to the end of the last. */
function spanOf({ times, stepMs, kind }: TimePlotProps): [number, number] {
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? first;
  return [first, kind === "bars" ? last + stepMs : Math.max(last, first + 1)];
}

/** A single value makes no line, so it is drawn as a point, even where points are too dense to be drawn otherwise. */
function lonePoint(plot: uPlot, series: number, shown: boolean): number[] | null {
  if (shown) return null;
  const values = plot.data[series] ?? [];
  const first = values.findIndex((value) => value != null);
  const isLone = first >= 0 && values.findLastIndex((value) => value != null) === first;
  return isLone ? [first] : null;
}

function hoverOf(plot: uPlot): { index: number; left: number } | null {
  const { left = -1, idx } = plot.cursor;
  const [times] = plot.data;
  if (left < 0 || idx === null || idx === undefined) return null;
  // A bar begins at its bucket: the nearest beginning may belong to the bar on the right.
  const after = (times[idx] ?? 0) > plot.posToVal(left, "x");
  return { index: Math.max(0, after ? idx - 1 : idx), left: left + plot.over.offsetLeft };
}

function timeLabels(splits: number[], step: number, zone: string, language: string): string[] {
  const time = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, month: "numeric", day: "numeric" });
  return splits.map((ms) => {
    const clock = time.format(ms);
    return step >= DAY_MS || clock === "00:00" ? day.format(ms) : clock;
  });
}

/** A colour of the current theme. */
function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function subscribeTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}

function currentTheme(): string {
  return document.documentElement.dataset.theme ?? "";
}
