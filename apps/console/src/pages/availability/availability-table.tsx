// biome-ignore-all lint/a11y/noRedundantRoles: cards change the display of rows, and browsers then forget what they are
import type { Availability, AvailabilityRow } from "@sluice/core/statistics";
import { Link } from "@tanstack/react-router";
import { ChartColumn, Table2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NameLookup } from "../../api/names.ts";
import { formatCount, formatDuration, formatExact, formatPercent } from "../../format.ts";
import { ChartTools } from "../../statistics/chart-tools.tsx";
import { saveCsv } from "../../statistics/csv.ts";
import { logSearch } from "../../statistics/search.ts";
import { Button } from "../../ui/button.tsx";
import { cn } from "../../ui/class-names.ts";
import { ScrollRegion } from "../../ui/scroll-region.tsx";
import { OutcomeStrip } from "./outcome-strip.tsx";
import type { AvailabilitySearch } from "./search.ts";

interface AvailabilityTableProps {
  availability: Availability;
  search: AvailabilitySearch;
  names: NameLookup;
}

const head = "h-9 px-3 text-xs font-medium whitespace-nowrap text-ink-3";
const number = "px-3 py-1.5 text-right tabular-nums whitespace-nowrap";
const shares = ["p50", "p95", "p99"] as const;

/** Providers, each above its models: what went well, when it did not, and percentiles of both times. */
export function AvailabilityTable({ availability, search, names }: AvailabilityTableProps) {
  const { t, i18n } = useTranslation();
  const [asTable, setAsTable] = useState(false);
  const { rows, times, zone } = availability;
  const title = t("availability.table");
  const when = useMemo(() => {
    const format = new Intl.DateTimeFormat(i18n.language, {
      ...{ timeZone: zone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    } as Intl.DateTimeFormatOptions);
    return (ms: number) => format.format(ms);
  }, [i18n.language, zone]);
  return (
    <>
      <div className="flex items-center justify-between pr-2 pl-4">
        <h2 className="text-sm font-medium">{title}</h2>
        <span className="flex items-center">
          <ChartTools title={title} logs={logSearch(search)} onCsv={() => save(availability, names)} />
          <Button
            variant="ghost"
            size="iconSm"
            aria-pressed={asTable}
            aria-label={t("chart.asTable", { title })}
            title={t("chart.asTable", { title })}
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? <ChartColumn aria-hidden="true" /> : <Table2 aria-hidden="true" />}
          </Button>
        </span>
      </div>
      <ScrollRegion label={title} className="card-table overflow-x-auto rounded-xl border border-line bg-surface">
        <table role="table" aria-label={title} className="w-full border-collapse text-sm">
          <thead role="rowgroup">
            <tr role="row" className="border-b border-line">
              <th role="columnheader" scope="col" className={cn(head, "pl-4 text-left")}>
                {t("availability.name")}
              </th>
              <th role="columnheader" scope="col" className={cn(head, "w-full text-left")}>
                {t("availability.outcomes")}
              </th>
              <th role="columnheader" scope="col" className={cn(head, "text-right")}>
                {t("overview.requests")}
              </th>
              <th role="columnheader" scope="col" className={cn(head, "text-right")}>
                {t("availability.rate")}
              </th>
              <th role="columnheader" scope="col" className={cn(head, "text-right")}>
                {t("overview.ttft")} (p50 / p95 / p99)
              </th>
              <th role="columnheader" scope="col" className={cn(head, "pr-4 text-right")}>
                {t("overview.duration")} (p50 / p95 / p99)
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row) => {
              const name = row.model ?? names.provider(row.providerId);
              const link = { ...logSearch(search), provider: row.providerId, ...(row.model !== null && { model: row.model }) };
              const ended = row.requests - row.aborted;
              return (
                <tr
                  key={`${row.providerId} ${row.model}`}
                  role="row"
                  className={cn("border-b border-line last:border-b-0 hover:bg-hover", row.model === null && "bg-sunken")}
                >
                  <th
                    role="rowheader"
                    scope="row"
                    className={cn("max-w-56 py-1.5 pr-3 text-left font-normal", row.model === null ? "pl-4" : "pl-8 max-md:pl-4")}
                  >
                    <Link
                      to="/logs"
                      search={link}
                      title={name}
                      className={cn("block truncate hover:text-accent-ink hover:underline", row.model === null && "font-semibold")}
                    >
                      {name || t("statistics.nameless")}
                    </Link>
                  </th>
                  <td role="cell" data-label={t("availability.outcomes")} className="px-3 py-1.5 max-md:col-span-full">
                    {asTable ? (
                      <BucketFigures row={row} times={times} when={when} label={name} />
                    ) : (
                      <OutcomeStrip row={row} buckets={availability} name={name} when={when} />
                    )}
                  </td>
                  <td role="cell" data-label={t("overview.requests")} className={number} title={formatExact(row.requests, i18n.language)}>
                    {formatCount(row.requests, i18n.language)}
                  </td>
                  <td role="cell" data-label={t("availability.rate")} className={cn(number, "font-medium")}>
                    {formatPercent(ended - row.errors, ended)}
                  </td>
                  <td role="cell" data-label={`${t("overview.ttft")} (p50 / p95 / p99)`} className={number}>
                    {shares.map((share) => formatDuration(row.ttft[share])).join(" / ")}
                  </td>
                  <td role="cell" data-label={`${t("overview.duration")} (p50 / p95 / p99)`} className={cn(number, "pr-4")}>
                    {shares.map((share) => formatDuration(row.duration[share])).join(" / ")}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </ScrollRegion>
    </>
  );
}

interface BucketFiguresProps {
  row: AvailabilityRow;
  times: readonly number[];
  when(ms: number): string;
  label: string;
}

/** The buckets with requests in figures, newest first. */
function BucketFigures({ row: { series }, times, when, label }: BucketFiguresProps) {
  const { t, i18n } = useTranslation();
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
              requests: formatExact(requests, i18n.language),
              errors: formatExact(errors, i18n.language),
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
