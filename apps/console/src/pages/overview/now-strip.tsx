import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { formatCost, formatCount } from "../../format.ts";
import type { OverviewView } from "../../live/overview-board.ts";

/** What goes through now: means over the last minute. */
export function NowStrip({ view }: { view: OverviewView }) {
  const { t, i18n } = useTranslation();
  const { requestsPerSecond, tokensPerSecond, costPerHourNanoUsd } = view.rates;
  const rate = (value: number): string =>
    value >= 100
      ? formatCount(Math.round(value), i18n.language)
      : new Intl.NumberFormat(i18n.language, { maximumSignificantDigits: 2 }).format(value);
  const figures = [
    { name: "requestRate", text: rate(requestsPerSecond) },
    { name: "tokenRate", text: rate(tokensPerSecond) },
    { name: "costRate", text: formatCost(costPerHourNanoUsd) },
  ] as const;
  return (
    <section
      aria-label={t("overview.now")}
      className="flex flex-wrap items-baseline gap-x-6 gap-y-1 rounded-xl border border-line bg-surface px-4 py-2.5"
    >
      <h2 className="text-xs font-medium text-ink-2">{t("overview.now")}</h2>
      {figures.map(({ name, text }) => (
        <Link key={name} to="/logs" search={{ from: "now-15m" }} className="group min-h-6 text-sm text-ink-2 hover:text-ink">
          <span className="font-semibold text-ink group-hover:text-accent-ink">{text}</span> {t(`overview.${name}`)}
        </Link>
      ))}
      <span className="text-xs text-ink-3 max-sm:hidden">{t("overview.lastMinute")}</span>
    </section>
  );
}
