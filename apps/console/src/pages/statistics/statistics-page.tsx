import { type SeriesSplit, seriesSplits } from "@sluice/core/statistics";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { serverNow } from "../../live/server-clock.ts";
import { moveSeries, moveTotals } from "../../live/statistics-moves.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { AnswerNote } from "../../statistics/answer-note.tsx";
import { FilterBar, SpanBar } from "../../statistics/filter-bar.tsx";
import { type Measure, measures } from "../../statistics/measures.ts";
import { filterOf, logSearch, spanOf } from "../../statistics/search.ts";
import { useLiveAnswer, useUncounted } from "../../statistics/use-live-answer.ts";
import { useTexts } from "../../text/i18n.ts";
import { NativeSelect } from "../../ui/field.tsx";
import { Page } from "../../ui/page.tsx";
import { Segments } from "../../ui/segments.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import type { StatisticsSearch } from "./search.ts";
import { SeriesChart } from "./series-chart.tsx";
import { SeriesTable } from "./series-table.tsx";
import { TotalsCards } from "./totals-cards.tsx";

const route = getRouteApi("/app/statistics");
const ofAdmins: readonly SeriesSplit[] = ["provider", "user"];
const tops = [3, 5, 10, 20];

/** Usage over any range, by time and by any dimension. */
export function StatisticsPage() {
  const { t } = useTexts();
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { role } = login.user;
  const splits = seriesSplits.filter((split) => role === "admin" || !(ofAdmins.includes(split) || (role === "key" && split === "key")));
  const by = search.by && splits.includes(search.by) ? search.by : "model";
  const { measure = "requests", top = 5 } = search;
  const change = useCallback(
    (part: Partial<StatisticsSearch>) => void navigate({ search: (now) => ({ ...now, ...part }), replace: true }),
    [navigate],
  );
  const { series, usage, error, busy, retry } = useStatistics(search, { by, top });
  const nameOf = useSeriesName(by);
  const logs = logSearch(search);
  // Totals are cached longer than the chart: the page shows the older of the two times.
  const older = series && usage && usage.asOf < series.asOf ? usage : series;
  return (
    <Page
      title={t("statistics.title")}
      state={<LiveIndicator />}
      lead={series && older && <AnswerNote answer={older} zone={series.zone} />}
    >
      <search aria-label={t("statistics.filters")} className="flex flex-wrap items-center gap-1.5">
        <SpanBar search={search} zone={series?.zone} onChange={change} />
        <FilterBar search={search} onChange={change} />
      </search>
      {error !== null && <FailureBox error={error} onRetry={retry} />}
      {!series && error === null && <SkeletonRows rows={8} />}
      {usage && <TotalsCards totals={usage.totals} previous={usage.previous} logs={logs} />}
      {series && (
        <section aria-label={t("statistics.charts")} aria-busy={busy || undefined} className="flex flex-col gap-3">
          <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
            <Segments<Measure>
              label={t("statistics.measure")}
              value={measure}
              options={measures.map((value) => ({ value, label: t(`statistics.measures.${value}`) }))}
              onChange={(value) => change({ measure: value })}
            />
            <div className="flex items-center gap-1.5">
              <NativeSelect
                aria-label={t("overview.splitBy")}
                className="h-7 w-auto text-xs"
                value={by}
                onChange={(event) => change({ by: event.target.value as SeriesSplit })}
              >
                {splits.map((split) => (
                  <option key={split} value={split}>
                    {t(`statistics.by.${split}`)}
                  </option>
                ))}
              </NativeSelect>
              <NativeSelect
                aria-label={t("statistics.top")}
                className="h-7 w-auto text-xs"
                value={String(top)}
                onChange={(event) => change({ top: Number(event.target.value) })}
              >
                {[...new Set([...tops, top])].map((count) => (
                  <option key={count} value={count}>
                    {t("statistics.topOf", { count })}
                  </option>
                ))}
              </NativeSelect>
            </div>
          </div>
          <SeriesChart statistics={series} measure={measure} nameOf={nameOf} logs={logs} onZoom={(from, to) => change({ from, to })} />
          <SeriesTable statistics={series} nameOf={nameOf} logs={logs} />
        </section>
      )}
    </Page>
  );
}

/** Series and totals for the same question, updated by ended requests. */
function useStatistics(search: StatisticsSearch, split: { by: SeriesSplit; top: number }) {
  const { from, to, step, zone } = search;
  const filter = filterOf(search);
  const question = { from, to, step, zone, filter };
  const goesOn = to === undefined;
  const seriesAnswer = useLiveAnswer(
    [["statistics", "series"], { ...question, ...split }],
    () => client.statistics.series.query({ ...spanOf(search, serverNow()), ...split, filter }),
    goesOn,
  );
  const usageAnswer = useLiveAnswer(
    [["statistics", "usage"], question],
    () => client.statistics.usage.query({ ...spanOf(search, serverNow()), filter }),
    goesOn,
  );
  const [answer, totalsAnswer] = [seriesAnswer.data, usageAnswer.data];
  const [seriesRows, usageRows] = [useUncounted(answer?.recent), useUncounted(totalsAnswer?.recent)];
  const asked = JSON.stringify(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` stands for the filter
  const series = useMemo(() => answer && { ...answer, ...moveSeries(answer, seriesRows, filter) }, [answer, seriesRows, asked]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const usage = useMemo(
    () => totalsAnswer && { ...totalsAnswer, totals: moveTotals(totalsAnswer, usageRows, filter) },
    [totalsAnswer, usageRows, asked],
  );
  return {
    ...{ series, usage },
    error: seriesAnswer.error ?? usageAnswer.error,
    busy: seriesAnswer.busy || usageAnswer.busy,
    retry: () => {
      seriesAnswer.retry();
      usageAnswer.retry();
    },
  };
}

/** The display name of a series. */
function useSeriesName(by: SeriesSplit): (id: string | null) => string {
  const { t } = useTexts();
  const names = useNames();
  return useCallback(
    (id) => {
      if (id === null) return by === "none" ? t("statistics.all") : t("overview.others");
      if (by === "provider" || by === "user" || by === "key") return names[by](id) || t("statistics.nameless");
      if (by === "dialect") return t(`dialect.${id}` as "dialect.openai", { otherwise: id });
      if (by === "status") return t(`histogram.class.${id}` as "histogram.class.5xx", { otherwise: id });
      return id || t("statistics.nameless");
    },
    [by, names, t],
  );
}
