import type { ProviderHealth } from "@sluice/core/events";
import { exactCost, formatCost, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { Percentiles } from "../../latency/percentiles.tsx";
import type { ProviderSeriesOf } from "../../live/provider-series.ts";
import { useTexts } from "../../text/i18n.ts";
import { cn } from "../../ui/class-names.ts";
import { Sparkline } from "../../ui/sparkline.tsx";

const HOURS = 3;

/** What a provider did today and in the last hours, and its current activity. */
export function ProviderFigures({ health, series }: { health: ProviderHealth; series: ProviderSeriesOf | undefined }) {
  const { t, language } = useTexts();
  const { inFlight, requests, errors, costNanoUsd } = health;
  const failing = requests > 0 && errors / requests > 0.05;
  const share = requests < 30 ? "" : ` · ${formatPercent(errors, requests)}`;
  return (
    <div className="flex flex-col gap-3">
      <dl className="grid grid-cols-4 gap-3 max-sm:grid-cols-2">
        <Figure label={t("providers.inFlight")} value={formatExact(inFlight, language)} tone={inFlight > 0 ? "text-accent-ink" : ""} />
        <Figure label={t("providers.today")} value={formatExact(requests, language)} />
        <Figure
          label={t("providers.errors")}
          value={formatExact(errors, language) + (errors > 0 ? share : "")}
          tone={failing ? "text-bad" : ""}
        />
        <Figure label={t("providers.spend")} value={formatCost(costNanoUsd)} title={exactCost(costNanoUsd)} />
      </dl>
      {series && <Sparks series={series} />}
      <Percentiles ranges={["24h", "7d"]} providerId={health.providerId} />
    </div>
  );
}

function Figure({ label, value, tone = "", title }: { label: string; value: string; tone?: string; title?: string }) {
  const isNothing = value === "0" || value === "$0";
  return (
    <div className="min-w-0">
      <dt className="truncate text-xs text-ink-3">{label}</dt>
      <dd title={title} className={cn("truncate text-base font-medium tabular-nums", isNothing ? "text-ink-3" : tone)}>
        {value}
      </dd>
    </div>
  );
}

function Sparks({ series }: { series: ProviderSeriesOf }) {
  const { t, language } = useTexts();
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const means = series.ttfts.map((count, index) => (count > 0 ? (series.ttftMs[index] ?? 0) / count : null));
  const measured = sum(series.ttfts);
  const mean = formatDuration(measured > 0 ? sum(series.ttftMs) / measured : null);
  const max = formatDuration(measured > 0 ? Math.max(...means.map((value) => value ?? 0)) : null);
  const errors = sum(series.errors);
  const requests = sum(series.requests);
  const [ttftTitle, errorsTitle] = [t("providers.ttftTitle", { hours: HOURS }), t("providers.errorsTitle", { hours: HOURS })];
  const counts = { errors: formatExact(errors, language), requests: formatExact(requests, language) };
  return (
    <div className="grid grid-cols-2 gap-4 max-sm:grid-cols-1">
      <Spark title={ttftTitle} figure={mean}>
        <Sparkline
          kind="line"
          values={means}
          label={t("providers.ttftSummary", { title: ttftTitle, mean, max })}
          className="text-[var(--chart-1)]"
        />
      </Spark>
      <Spark title={errorsTitle} figure={errors === 0 ? t("providers.none") : `${counts.errors} / ${counts.requests}`}>
        <Sparkline
          kind="bars"
          values={series.errors}
          label={t("providers.errorsSummary", { title: errorsTitle, count: requests, ...counts })}
          className="text-bad"
        />
      </Spark>
    </div>
  );
}

function Spark({ title, figure, children }: { title: string; figure: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <p className="mb-1 flex items-baseline justify-between gap-2 text-xs">
        <span className="truncate text-ink-3">{title}</span>
        <span className="shrink-0 text-ink-2 tabular-nums">{figure}</span>
      </p>
      {children}
    </div>
  );
}
