import { Link } from "@tanstack/react-router";
import { formatCost, formatCount } from "../../format.ts";
import type { Rates } from "../../live/rate-meter.ts";
import { useTexts } from "../../text/i18n.ts";

/** Current throughput: means over the last minute. */
export function NowCard({ rates }: { rates: Rates }) {
  const { t, language } = useTexts();
  const rate = (value: number): string =>
    value >= 100
      ? formatCount(Math.round(value), language)
      : new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }).format(value);
  const figures = [
    { name: "requestRate", text: rate(rates.requestsPerSecond) },
    { name: "tokenRate", text: rate(rates.tokensPerSecond) },
    { name: "costRate", text: formatCost(rates.costPerHourNanoUsd) },
  ] as const;
  return (
    <li className="flex min-w-0 flex-col rounded-xl border border-line bg-surface px-4 pt-3 pb-2" title={t("overview.lastMinute")}>
      <span className="mb-0.5 truncate text-xs font-medium text-ink-2">{t("overview.now")}</span>
      {figures.map(({ name, text }) => (
        <Link
          key={name}
          to="/logs"
          search={{ from: "now-15m" }}
          className="group flex h-6 items-baseline gap-1.5 text-xs text-ink-3 hover:text-ink-2"
        >
          <span className="text-sm font-semibold text-ink group-hover:text-accent-ink">{text}</span>
          <span className="truncate">{t(`overview.${name}`)}</span>
        </Link>
      ))}
    </li>
  );
}
