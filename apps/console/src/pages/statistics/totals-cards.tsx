import { tokensOf } from "@sluice/core/overview";
import { ratesOf, type SpanSums, type Usage } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { Difference } from "../../figures/difference.tsx";
import { exactCost, formatCost, formatCount, formatDateTime, formatDuration, formatExact, formatPercent } from "../../format.ts";
import type { logSearch } from "../../statistics/search.ts";
import { useTexts } from "../../text/i18n.ts";

interface TotalsCardsProps {
  totals: SpanSums;
  previous: Usage["previous"];
  logs: ReturnType<typeof logSearch>;
}

interface Figure {
  name: "requests" | "tokens" | "cost" | "errorRate" | "cacheHitRate" | "ttft";
  of(sums: SpanSums): number | null;
  text(sums: SpanSums): string;
  exact?(sums: SpanSums): string;
  points?: boolean;
}

/** The totals of the range in six figures, each compared with the range before. */
export function TotalsCards({ totals, previous, logs }: TotalsCardsProps) {
  const { t, language } = useTexts();
  const percent = (share: number | null): string => (share === null ? "—" : formatPercent(share, 1));
  const figures: Figure[] = [
    count("requests", (sums) => sums.requests),
    count("tokens", tokensOf),
    {
      name: "cost",
      of: (sums) => Number(sums.costNanoUsd),
      text: (sums) => formatCost(sums.costNanoUsd),
      exact: (sums) => exactCost(sums.costNanoUsd),
    },
    { name: "errorRate", points: true, of: errorRate, text: (sums) => percent(errorRate(sums)) },
    { name: "cacheHitRate", points: true, of: (sums) => ratesOf(sums).cacheHitRate, text: (sums) => percent(ratesOf(sums).cacheHitRate) },
    { name: "ttft", of: (sums) => ratesOf(sums).ttftMs, text: (sums) => formatDuration(ratesOf(sums).ttftMs) },
  ];

  function count(name: "requests" | "tokens", of: (sums: SpanSums) => number): Figure {
    return { name, of, text: (sums) => formatCount(of(sums), language), exact: (sums) => formatExact(of(sums), language) };
  }

  const before = t("statistics.previousSpan", {
    from: formatDateTime(previous.fromMs, language),
    to: formatDateTime(previous.toMs, language),
  });
  return (
    <ul aria-label={t("statistics.totals")} className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      {figures.map(({ name, of, text, exact, points = false }) => (
        <li
          key={name}
          title={exact?.(totals)}
          className="relative min-w-0 rounded-xl border border-line bg-surface px-4 pt-3 pb-3.5 hover:border-line-strong"
        >
          <span className="block truncate text-xs font-medium text-ink-2">{t(`statistics.measures.${name}`)}</span>
          <Link
            to="/logs"
            search={name === "errorRate" ? { ...logs, state: "error" } : logs}
            className="mt-0.5 block truncate text-2xl font-semibold tracking-tight after:absolute after:inset-0 after:rounded-xl hover:text-accent-ink focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-ring"
          >
            <span className="sr-only">{t(`statistics.measures.${name}`)}: </span>
            {text(totals)}
          </Link>
          <div className="mt-1 text-xs">
            <Difference now={of(totals)} then={of(previous.totals)} points={points} same={t("statistics.same")} />
            <p className="truncate text-ink-3" title={before}>
              {t("statistics.previous", { figure: text(previous.totals) })}
            </p>
          </div>
        </li>
      ))}
    </ul>
  );
}

function errorRate({ errors, requests }: SpanSums): number | null {
  return requests > 0 ? errors / requests : null;
}
