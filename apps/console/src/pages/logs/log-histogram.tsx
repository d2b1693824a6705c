import { ChartColumn, Table2, ZoomOut } from "lucide-react";
import { memo, useState } from "react";
import { formatCount, formatExact } from "../../format.ts";
import { type HistogramView, statusClasses } from "../../live/log-histogram.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { HistogramBars, tones } from "./histogram-bars.tsx";
import { HistogramTable } from "./histogram-table.tsx";
import { feedKey, type LogSearch } from "./search.ts";
import { useHistogram } from "./use-histogram.ts";

interface LogHistogramProps {
  search: LogSearch;
  zoomed: boolean;
  onZoom(fromMs: number, toMs: number): void;
  onUndo(): void;
}

/** The timeline above the log, for the same filter: number and outcome of requests. */
export const LogHistogram = memo(function LogHistogram({ search, zoomed, onZoom, onUndo }: LogHistogramProps) {
  const { t, language } = useTexts();
  const [asTable, setAsTable] = useState(false);
  const state = useHistogram(feedKey(search));
  if (state.phase === "unanswered") {
    const names = state.fields.map((field) => t(`filter.${fieldNames[field] ?? "request"}`));
    return <Note text={t("histogram.unanswered", { fields: new Intl.ListFormat(language, { type: "disjunction" }).format(names) })} />;
  }
  if (state.phase === "error") return <Note text={t("histogram.failed")} />;
  const view = state.phase === "ready" ? state.view : null;
  const Icon = asTable ? ChartColumn : Table2;
  return (
    <section aria-label={t("histogram.title")} className="border-b border-line px-4 pt-2 pb-1.5 max-md:pt-1">
      <div className="flex min-h-6 items-center gap-3 text-2xs text-ink-3">
        {view && <Legend view={view} />}
        <span className="ml-auto flex items-center gap-1">
          {zoomed && (
            <Button variant="ghost" size="sm" className="h-6" title="Esc" onClick={onUndo}>
              <ZoomOut aria-hidden="true" />
              {t("histogram.undo")}
            </Button>
          )}
          <IconButton
            icon={Icon}
            className="size-6"
            label={t(asTable ? "histogram.asChart" : "histogram.asTable")}
            onClick={() => setAsTable(!asTable)}
          />
        </span>
      </div>
      {!view && <div className="h-15" />}
      {view && asTable && <HistogramTable view={view} onZoom={onZoom} />}
      {view && !asTable && <HistogramBars view={view} search={search} onZoom={onZoom} />}
    </section>
  );
});

const fieldNames: Record<string, "session" | "request" | "attempts" | "state"> = {
  sessionId: "session",
  notSessionId: "session",
  minAttempts: "attempts",
  state: "state",
};

function Note({ text }: { text: string }) {
  return <p className="border-b border-line px-4 py-1.5 text-xs text-ink-3">{text}</p>;
}

function Legend({ view }: { view: HistogramView }) {
  const { t, language } = useTexts();
  return (
    <ul className="flex flex-wrap items-center gap-x-3">
      {statusClasses.map((is) => {
        const count = view.totals[is];
        if (!count) return null;
        return (
          <li key={is} className="flex items-center gap-1.5" title={formatExact(count, language)}>
            <span aria-hidden="true" className={cn("size-2 rounded-xs", tones[is].dot)} />
            {t(`histogram.class.${is}`)} <span className="font-medium text-ink-2">{formatCount(count, language)}</span>
          </li>
        );
      })}
    </ul>
  );
}
