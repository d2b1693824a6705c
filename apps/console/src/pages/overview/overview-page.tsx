import { type OverviewSplit, overviewRanges, overviewSplits } from "@sluice/core/overview-range";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Gauge } from "lucide-react";
import { useCallback } from "react";
import { useNames } from "../../api/names.ts";
import { formatDateTime } from "../../format.ts";
import { Percentiles } from "../../latency/percentiles.tsx";
import { SettledNote } from "../../ledger/settled-note.tsx";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { buttonClass } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Empty, FailureBox } from "../../ui/states.tsx";
import { FigureCards } from "./figure-cards.tsx";
import { OverviewCharts } from "./overview-charts.tsx";
import { TopLists } from "./top-lists.tsx";
import { useOverview } from "./use-overview.ts";

const route = getRouteApi("/app/overview");
const appRoute = getRouteApi("/app");

/** Today's traffic and the current activity at a glance. */
export function OverviewPage() {
  const { t, language } = useTexts();
  const { login } = appRoute.useRouteContext();
  const isAdmin = login.user.role === "admin";
  const splits: readonly OverviewSplit[] = isAdmin ? overviewSplits : ["model", "key"];
  const search = route.useSearch();
  const range = search.range ?? "24h";
  const by = search.by && splits.includes(search.by) ? search.by : "model";
  const navigate = useNavigate();
  const names = useNames();
  const nameOf = useCallback((split: OverviewSplit, id: string) => (split === "model" ? id : names[split](id)), [names]);
  const { view, error, busy, retry } = useOverview({ range, by });
  const shownBy = view?.overview.by ?? by;
  const seriesName = useCallback((id: string) => nameOf(shownBy, id), [nameOf, shownBy]);
  const isUnused = view !== null && !view.overview.used && view.inFlight === 0;
  return (
    <Page title={t("overview.title")} state={<LiveIndicator />} lead={view && <Lead zone={view.overview.zone} isAdmin={isAdmin} />}>
      {error !== null && <FailureBox error={error} onRetry={retry} />}
      {!view && error === null && <OverviewSkeleton />}
      {isUnused && <FirstUse isAdmin={isAdmin} />}
      {view && !isUnused && (
        <>
          <FigureCards view={view} />
          <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
            <Segments
              label={t("overview.splitBy")}
              value={by}
              options={splits.map((split) => ({ value: split, label: t(`overview.by.${split}`) }))}
              onChange={(value) => void navigate({ to: "/overview", search: { ...search, by: value }, replace: true })}
            />
            <Segments
              label={t("overview.range")}
              value={range}
              options={overviewRanges.map((one) => ({ value: one, label: t(`overview.ranges.${one}`) }))}
              onChange={(value) => void navigate({ to: "/overview", search: { ...search, range: value }, replace: true })}
            />
          </div>
          <Percentiles ranges={[range]} />
          <section aria-label={t("overview.charts")} aria-busy={busy || undefined}>
            <OverviewCharts view={view} nameOf={seriesName} />
          </section>
          <section aria-label={t("overview.topLists")} className="flex flex-col gap-3">
            <h2 className="text-sm text-ink-2">{t("overview.since", { time: formatDateTime(view.overview.times[0] ?? 0, language) })}</h2>
            <TopLists view={view} nameOf={nameOf} />
          </section>
        </>
      )}
    </Page>
  );
}

function Lead({ zone, isAdmin }: { zone: string; isAdmin: boolean }) {
  const { t } = useTexts();
  return (
    <>
      {t("overview.lead", { zone })} {isAdmin && <SettledNote />}
    </>
  );
}

/** Before the first request there are no figures, but there is a next step. */
function FirstUse({ isAdmin }: { isAdmin: boolean }) {
  const { t } = useTexts();
  return (
    <div className="rounded-xl border border-line bg-surface">
      <Empty icon={<Gauge />} title={t("overview.emptyTitle")} text={t(isAdmin ? "overview.emptyAdmin" : "overview.emptyUser")}>
        <div className="flex flex-wrap justify-center gap-2">
          {isAdmin && (
            <>
              <Link to="/setup" className={buttonClass({ variant: "primary" })}>
                {t("overview.toSetup")}
              </Link>
              <Link to="/providers" className={buttonClass({ variant: "outline" })}>
                {t("nav.providers")}
              </Link>
            </>
          )}
          <Link to="/keys" className={buttonClass({ variant: "outline" })}>
            {t("nav.keys")}
          </Link>
        </div>
      </Empty>
    </div>
  );
}

/** Placeholders of the figures' size, so that nothing jumps. */
function OverviewSkeleton() {
  const { t } = useTexts();
  const box = "animate-pulse rounded-xl border border-line bg-surface";
  return (
    <div role="presentation" className="flex flex-col gap-5">
      <span className="sr-only">{t("common.loading")}</span>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {["requests", "tokens", "cost", "errors", "ttft", "inFlight", "sessions", "now"].map((name) => (
          <div key={name} className={`h-27 ${box}`} />
        ))}
      </div>
      <div className="grid gap-3 lg:grid-cols-2">
        {["cost", "requests", "tokens", "ttft"].map((name) => (
          <div key={name} className={`h-64 ${box}`} />
        ))}
      </div>
    </div>
  );
}
