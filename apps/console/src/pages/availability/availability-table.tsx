import type { Availability, AvailabilityRow } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { ChartColumn, Table2 } from "lucide-react";
import { useMemo, useState } from "react";
import type { NameLookup } from "../../api/names.ts";
import { formatCount, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { saveCsv } from "../../statistics/csv.ts";
import { logSearch } from "../../statistics/search.ts";
import { useTexts } from "../../text/i18n.ts";
import { CardCell, CardHead, CardRow, CardRowHead, CardTable } from "../../ui/card-table.tsx";
import { cn } from "../../ui/class-names.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { OutcomeStrip } from "./outcome-strip.tsx";
import type { AvailabilitySearch } from "./search.ts";

interface AvailabilityTableProps {
  availability: Availability;
  search: AvailabilitySearch;
  names: NameLookup;
}

const shares = ["p50", "p95", "p99"] as const;

/** Providers, each above its models: share of successes, outcomes over time, and percentiles of both times. */
export function AvailabilityTable({ availability, search, names }: AvailabilityTableProps) {
  const { t, language } = useTexts();
  const [asTable, setAsTable] = useState(false);
  const { rows, times, zone } = availability;
  const title = t("availability.table");
  const [ttft, duration] = [`${t("overview.ttft")} (p50 / p95 / p99)`, `${t("overview.duration")} (p50 / p95 / p99)`];
  const when = useMemo(() => {
    const format = new Intl.DateTimeFormat(language, {
      ...{ timeZone: zone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    } as Intl.DateTimeFormatOptions);
    return (ms: number) => format.format(ms);
  }, [language, zone]);
  return (
    <>
      <div className="flex items-center justify-between pr-2 pl-4">
        <h2 className="text-sm font-medium">{title}</h2>
        <span className="flex items-center">
          <ChartTools title={title} logs={logSearch(search)} onCsv={() => save(availability, names)} />
          <IconButton
            icon={asTable ? ChartColumn : Table2}
            label={t("chart.asTable", { title })}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
          />
        </span>
      </div>
      <CardTable
        label={title}
        head={
          <>
            <CardHead>{t("availability.name")}</CardHead>
            <CardHead className="w-full">{t("availability.outcomes")}</CardHead>
            <CardHead className="text-right">{t("overview.requests")}</CardHead>
            <CardHead className="text-right">{t("availability.rate")}</CardHead>
            <CardHead className="text-right">{ttft}</CardHead>
            <CardHead className="text-right">{duration}</CardHead>
          </>
        }
      >
        {rows.map((row) => {
          const name = row.model ?? names.provider(row.providerId);
          const ended = row.requests - row.aborted;
          return (
            <CardRow key={`${row.providerId} ${row.model}`} className={cn(row.model === null && "bg-sunken")}>
              <RowName row={row} name={name} search={search} />
              <CardCell label={t("availability.outcomes")} className="max-md:col-span-full">
                {asTable ? (
                  <BucketFigures row={row} times={times} when={when} label={name} />
                ) : (
                  <OutcomeStrip row={row} buckets={availability} name={name} when={when} />
                )}
              </CardCell>
              <CardCell number label={t("overview.requests")} title={formatExact(row.requests, language)}>
                {formatCount(row.requests, language)}
              </CardCell>
              <CardCell number label={t("availability.rate")} className="font-medium">
                {formatPercent(ended - row.errors, ended)}
              </CardCell>
              <CardCell number label={ttft}>
                {shares.map((share) => formatDuration(row.ttft[share])).join(" / ")}
              </CardCell>
              <CardCell number label={duration}>
                {shares.map((share) => formatDuration(row.duration[share])).join(" / ")}
              </CardCell>
            </CardRow>
          );
        })}
      </CardTable>
    </>
  );
}

/** A provider, or below it one of its models; links to its requests. */
function RowName({ row, name, search }: { row: AvailabilityRow; name: string; search: AvailabilitySearch }) {
  const { t } = useTexts();
  const { providerId, model } = row;
  return (
    <CardRowHead className={cn("max-w-56", model === null ? "pl-4" : "pl-8 max-md:pl-4")}>
      <Link
        to="/logs"
        search={{ ...logSearch(search), provider: providerId, ...(model !== null && { model }) }}
        title={name}
        className={cn("block truncate hover:text-accent-ink hover:underline", model === null && "font-semibold")}
      >
        {name || t("statistics.nameless")}
      </Link>
    </CardRowHead>
  );
}

interface BucketFiguresProps {
  row: AvailabilityRow;
  times: readonly number[];
  when(ms: number): string;
  label: string;
}

/** The figures of non-empty buckets, newest first. */
function BucketFigures({ row: { series }, times, when, label }: BucketFiguresProps) {
  const { t, language } = useTexts();
  const used = times
    .map((ms, at) => ({ ms, requests: series.requests[at] ?? 0, errors: series.errors[at] ?? 0 }))
    .filter(({ requests }) => requests > 0);
  if (used.length === 0) return <span className="text-ink-3">{t("overview.noRequests")}</span>;
  return (
    <ScrollRegion label={label} className="max-h-32 overflow-y-auto">
      <ul className="text-xs text-ink-2">
        {used.reverse().map(({ ms, requests, errors }) => (
          <li key={ms}>
            {when(ms)}:{" "}
            {t("availability.bucket", {
              count: requests,
              requests: formatExact(requests, language),
              errors: formatExact(errors, language),
              rate: formatPercent(requests - errors, requests),
            })}
          </li>
        ))}
      </ul>
    </ScrollRegion>
  );
}

function save({ rows }: Availability, names: NameLookup): void {
  const header = ["provider_id", "provider", "model", "requests", "errors", "aborted"];
  const times = ["ttft", "duration"].flatMap((what) => shares.map((share) => `${what}_${share}_ms`));
  void saveCsv(
    "availability",
    [...header, ...times],
    rows.map((row) => [
      ...[row.providerId, names.provider(row.providerId), row.model, row.requests, row.errors, row.aborted],
      ...[...shares.map((share) => row.ttft[share]), ...shares.map((share) => row.duration[share])],
    ]),
  );
}
