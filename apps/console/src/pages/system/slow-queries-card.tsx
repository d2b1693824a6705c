import type { SlowQuery } from "@sluice/core/figures";
import { formatDateTime, formatDuration, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { FactCard } from "./fact-card.tsx";

/** The latest slow statements as they were sent, without values. */
export function SlowQueriesCard({ queries, count }: { queries: readonly SlowQuery[]; count: number }) {
  const { t, language } = useTexts();
  return (
    <FactCard title={t("figures.slow")} state={<span className="text-sm tabular-nums">{formatExact(count, language)}</span>}>
      {queries.length === 0 && <p className="text-ink-2">{t("figures.slowNone")}</p>}
      <ul className="flex flex-col gap-2.5">
        {queries.map(({ atMs, ms, table, text }) => (
          <li key={`${atMs} ${text}`} className="flex min-w-0 flex-col gap-0.5">
            <span className="flex flex-wrap gap-x-3 text-xs text-ink-3">
              <span className="font-medium tabular-nums text-ink">{formatDuration(ms)}</span>
              <span className="font-mono">{table}</span>
              <time dateTime={new Date(atMs).toISOString()}>{formatDateTime(atMs, language)}</time>
            </span>
            <code className="text-xs break-words text-ink-2">{text}</code>
          </li>
        ))}
      </ul>
    </FactCard>
  );
}
