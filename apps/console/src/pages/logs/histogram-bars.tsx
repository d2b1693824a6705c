import type { StatusClass } from "@sluice/core/requests";
import { type PointerEvent, useRef, useState } from "react";
import { formatExact } from "../../format.ts";
import { type HistogramView, statusClasses } from "../../live/log-histogram.ts";
import { serverNow } from "../../live/server-clock.ts";
import { startOf } from "../../ranges/range-search.ts";
import { useTexts } from "../../text/i18n.ts";
import { bucketText } from "./histogram-text.ts";
import type { LogSearch } from "./search.ts";

/** Colours of each class in the legend and the bars. */
export const tones = {
  "2xx": { dot: "bg-ok", bar: "fill-ok/75" },
  "3xx": { dot: "bg-accent", bar: "fill-accent/75" },
  aborted: { dot: "bg-idle", bar: "fill-idle/70" },
  refused: { dot: "bg-warn/60", bar: "fill-warn/55" },
  "4xx": { dot: "bg-warn", bar: "fill-warn" },
  "5xx": { dot: "bg-bad", bar: "fill-bad" },
} as const satisfies Record<StatusClass, { dot: string; bar: string }>;

const HEIGHT = 100;
/** px: a shorter movement is a click, not a drag. */
const DRAG_PX = 4;

interface HistogramBarsProps {
  view: HistogramView;
  search: LogSearch;
  onZoom(fromMs: number, toMs: number): void;
}

/** Stacked bars; dragging selects a range. */
export function HistogramBars({ view, search, onZoom }: HistogramBarsProps) {
  const { t, language } = useTexts();
  const area = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const { buckets, fromMs, toMs, stepMs } = view;
  const count = Math.max(1, buckets.length);

  /** 0 at the left edge, 1 at the right. */
  const place = (event: PointerEvent): number => {
    const box = area.current?.getBoundingClientRect();
    return box ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) : 0;
  };
  const indexAt = (share: number): number => Math.min(count - 1, Math.floor(share * count));
  const finish = (event: PointerEvent): void => {
    setDrag(null);
    const width = area.current?.clientWidth ?? 0;
    if (!drag || Math.abs(drag.end - drag.start) * width < DRAG_PX) return;
    event.preventDefault();
    const low = indexAt(Math.min(drag.start, drag.end));
    const high = indexAt(Math.max(drag.start, drag.end));
    onZoom(fromMs + low * stepMs, Math.min(fromMs + (high + 1) * stepMs, Math.ceil(serverNow())));
  };

  const errors = (view.totals["4xx"] ?? 0) + (view.totals["5xx"] ?? 0) + (view.totals.refused ?? 0);
  const text = (ms: number): string => bucketText(ms, view, language);
  const over = hover === null ? undefined : buckets[hover];
  return (
    <div className="relative">
      <div
        ref={area}
        role="img"
        aria-label={t("histogram.summary", {
          count: view.total,
          total: formatExact(view.total, language),
          from: text(fromMs),
          to: text(toMs),
          errors,
        })}
        className="relative h-11 cursor-crosshair touch-pan-y select-none max-md:h-8"
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ start: place(event), end: place(event) });
        }}
        onPointerMove={(event) => {
          const share = place(event);
          setHover(indexAt(share));
          if (drag) setDrag({ ...drag, end: share });
        }}
        onPointerLeave={() => setHover(null)}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
      >
        <Bars view={view} />
        <Outside view={view} search={search} />
        {hover !== null && !drag && (
          <span
            aria-hidden="true"
            className="pointer-events-none absolute inset-y-0 bg-ink/8"
            style={{ left: `${(hover / count) * 100}%`, width: `${100 / count}%` }}
          />
        )}
        {drag && (
          <span
            aria-hidden="true"
            className="pointer-events-none absolute inset-y-0 border-x border-accent bg-accent/20"
            style={{ left: `${Math.min(drag.start, drag.end) * 100}%`, width: `${Math.abs(drag.end - drag.start) * 100}%` }}
          />
        )}
      </div>
      <div aria-hidden="true" className="flex h-4 items-end justify-between text-2xs leading-none text-ink-3">
        <span>{text(fromMs)}</span>
        {over && (
          <span className="text-ink-2">
            {text(over.atMs)}
            {statusClasses.map((is) => over.counts[is] && ` · ${t(`histogram.class.${is}`)} ${formatExact(over.counts[is], language)}`)}
          </span>
        )}
        <span>{text(toMs)}</span>
      </div>
    </div>
  );
}

/** One path per class: a hundred bars are six elements. */
function Bars({ view: { buckets } }: { view: HistogramView }) {
  const most = Math.max(1, ...buckets.map(({ total }) => total));
  const paths = new Map<StatusClass, string>();
  buckets.forEach(({ counts }, index) => {
    let top = HEIGHT;
    for (const is of statusClasses) {
      const count = counts[is];
      if (!count) continue;
      const height = (count / most) * HEIGHT;
      top -= height;
      paths.set(is, `${paths.get(is) ?? ""}M${index + 0.08} ${top.toFixed(2)}h.84v${height.toFixed(2)}h-.84z`);
    }
  });
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${Math.max(1, buckets.length)} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="absolute inset-0 size-full border-b border-line-strong"
    >
      {[...paths].map(([is, d]) => (
        <path key={is} d={d} className={tones[is].bar} />
      ))}
    </svg>
  );
}

/** Dims what lies outside a narrow range. */
function Outside({ view: { fromMs, toMs }, search }: { view: HistogramView; search: LogSearch }) {
  const share = (ms: number): number => Math.min(100, Math.max(0, ((ms - fromMs) / (toMs - fromMs)) * 100));
  const left = share(startOf(search, serverNow()) ?? fromMs);
  const right = 100 - share(search.to ?? toMs);
  const dim = "pointer-events-none absolute inset-y-0 bg-surface/70";
  return (
    <>
      {left > 0 && <span aria-hidden="true" className={`${dim} left-0`} style={{ width: `${left}%` }} />}
      {right > 0 && <span aria-hidden="true" className={`${dim} right-0`} style={{ width: `${right}%` }} />}
    </>
  );
}
