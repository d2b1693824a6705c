import { formatExact } from "../../format.ts";
import { type HistogramView, statusClasses } from "../../live/log-histogram.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { bucketText } from "./histogram-text.ts";

interface HistogramTableProps {
  view: HistogramView;
  onZoom(fromMs: number, toMs: number): void;
}

/** The same figures as text, newest first; the time of a row zooms to it. */
export function HistogramTable({ view, onZoom }: HistogramTableProps) {
  const { t, language } = useTexts();
  const classes = statusClasses.filter((is) => view.totals[is]);
  const rows = view.buckets.filter(({ total }) => total > 0).toReversed();
  return (
    <ScrollRegion label={t("histogram.figures")} className="max-h-48 overflow-y-auto">
      <table className="w-full text-xs">
        <caption className="sr-only">{t("histogram.title")}</caption>
        <thead>
          <tr className="text-ink-3">
            <th scope="col" className="h-7 text-left font-medium">
              {t("histogram.time")}
            </th>
            {classes.map((is) => (
              <th key={is} scope="col" className="text-right font-medium">
                {t(`histogram.class.${is}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ atMs, counts }) => {
            const time = bucketText(atMs, view, language);
            return (
              <tr key={atMs} className="border-t border-line">
                <th scope="row" className="text-left font-normal">
                  <Button
                    variant="link"
                    size="sm"
                    aria-label={t("histogram.zoomTo", { time })}
                    onClick={() => onZoom(atMs, atMs + view.stepMs)}
                  >
                    {time}
                  </Button>
                </th>
                {classes.map((is) => (
                  <td key={is} className="text-right">
                    {formatExact(counts[is] ?? 0, language)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
