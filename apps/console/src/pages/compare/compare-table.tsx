import { formatUsd } from "@sluice/core/money";
import { tokensOf } from "@sluice/core/overview";
import { type Compared, type Comparison, ratesOf, type SpanSums } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { failureOf } from "../../api/failure.ts";
import { Difference } from "../../figures/difference.tsx";
import { exactCost, formatCost, formatCount, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { type CsvCell, saveCsv } from "../../statistics/csv.ts";
import { logSearch } from "../../statistics/search.ts";
import { useTexts } from "../../text/i18n.ts";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { useFailureText } from "../../ui/states.tsx";
import type { CompareSearch } from "./search.ts";

interface CompareTableProps {
  comparison: Comparison;
  search: CompareSearch;
  nameOf(id: string): string;
}

/** A line of the table: a figure of the compared sums. */
interface Row {
  name: "requests" | "tokens" | "cost" | "errorRate" | "cacheHitRate" | "ttft" | "duration";
  of(sums: SpanSums): number | null;
  text(sums: SpanSums, language: string): string;
  exact?(sums: SpanSums, language: string): string;
  cell?(sums: SpanSums): CsvCell;
  points?: boolean;
}

const percent = (share: number | null): string => (share === null ? "—" : formatPercent(share, 1));
const errorRate = ({ errors, requests }: SpanSums): number | null => (requests > 0 ? errors / requests : null);

const rows: readonly Row[] = [
  count("requests", ({ requests }) => requests),
  count("tokens", tokensOf),
  {
    name: "cost",
    of: ({ costNanoUsd }) => Number(costNanoUsd),
    text: ({ costNanoUsd }) => formatCost(costNanoUsd),
    exact: ({ costNanoUsd }) => exactCost(costNanoUsd),
    cell: ({ costNanoUsd }) => formatUsd(BigInt(costNanoUsd)),
  },
  { name: "errorRate", points: true, of: errorRate, text: (sums) => percent(errorRate(sums)) },
  { name: "cacheHitRate", points: true, of: (sums) => ratesOf(sums).cacheHitRate, text: (sums) => percent(ratesOf(sums).cacheHitRate) },
  { name: "ttft", of: (sums) => ratesOf(sums).ttftMs, text: (sums) => formatDuration(ratesOf(sums).ttftMs) },
  { name: "duration", of: (sums) => ratesOf(sums).durationMs, text: (sums) => formatDuration(ratesOf(sums).durationMs) },
];

function count(name: "requests" | "tokens", of: (sums: SpanSums) => number): Row {
  return {
    name,
    of,
    text: (sums, language) => formatCount(of(sums), language),
    exact: (sums, language) => formatExact(of(sums), language),
  };
}

/** Each figure of each entry, with that of the span before; names link to their requests. A failed entry says so in its column. */
export function CompareTable({ comparison, search, nameOf }: CompareTableProps) {
  const { t, language } = useTexts();
  const { by, entries } = comparison;
  const title = t("compare.table", { of: t(`compare.of.${by}`) });
  const save = (): void => {
    const header = [by, "name", "failed", ...rows.map(({ name }) => csvNames[name])];
    const lines = entries.map((entry) => [
      ...[entry.id, nameOf(entry.id), entry.failed ? entry.code : ""],
      ...rows.map(({ of, cell = of }) => (entry.failed ? null : cell(entry.totals))),
    ]);
    void saveCsv("compare", header, lines);
  };
  return (
    <div>
      <div className="flex items-center justify-between pr-2 pb-1 pl-4">
        <h2 className="text-sm font-medium">{title}</h2>
        <ChartTools title={title} onCsv={save} />
      </div>
      <ScrollRegion label={title} className="overflow-x-auto rounded-xl border border-line bg-surface">
        <table aria-label={title} className="w-full border-collapse text-sm">
          <thead>
            <tr className="border-b border-line">
              <td className="w-36" />
              {entries.map(({ id }, at) => (
                <th key={id} scope="col" className="h-10 min-w-32 px-3 text-right font-medium last:pr-4">
                  <span className="inline-flex max-w-48 items-center gap-1.5">
                    <span aria-hidden="true" className="size-2 shrink-0 rounded-[2px]" style={{ background: `var(--chart-${at + 1})` }} />
                    <Link
                      to="/logs"
                      search={{ ...logSearch(search), [by]: id }}
                      title={nameOf(id)}
                      className="truncate hover:text-accent-ink hover:underline"
                    >
                      {nameOf(id)}
                    </Link>
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={row.name} className="border-b border-line last:border-b-0">
                <th scope="row" className="py-2 pr-3 pl-4 text-left font-normal whitespace-nowrap text-ink-2">
                  {t(row.name === "duration" ? "overview.duration" : `statistics.measures.${row.name}`)}
                </th>
                {entries.map((entry) =>
                  entry.failed ? (
                    at === 0 && <FailedCell key={entry.id} entry={entry} rows={rows.length} />
                  ) : (
                    <td key={entry.id} className="px-3 py-2 text-right align-top last:pr-4" title={row.exact?.(entry.totals, language)}>
                      <span className="font-medium tabular-nums">{row.text(entry.totals, language)}</span>
                      <span className="flex justify-end text-xs">
                        <Difference
                          now={row.of(entry.totals)}
                          then={row.of(entry.previous.totals)}
                          points={row.points ?? false}
                          same={t("statistics.same")}
                        />
                      </span>
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </div>
  );
}

function FailedCell({ entry, rows: span }: { entry: Extract<Compared, { failed: true }>; rows: number }) {
  const { t } = useTexts();
  const text = useFailureText();
  return (
    <td rowSpan={span} className="bg-warn-soft px-3 py-4 text-center align-middle text-sm last:pr-4">
      <TriangleAlert aria-hidden="true" className="mx-auto mb-1 size-4 text-warn" />
      <span className="block font-medium">{t("compare.notRead")}</span>
      <span className="text-xs text-ink-2">{text(failureOf(entry, 500))}</span>
    </td>
  );
}

const csvNames = {
  requests: "requests",
  tokens: "tokens",
  cost: "cost_usd",
  errorRate: "error_rate",
  cacheHitRate: "cache_hit_rate",
  ttft: "ttft_ms",
  duration: "duration_ms",
} as const;
