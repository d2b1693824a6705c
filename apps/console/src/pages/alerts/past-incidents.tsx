import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { formatDateTime, formatDuration } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { type Channel, type Incident, subjectText, valueText } from "./alert-words.ts";
import { SeverityBadge } from "./severity-badge.tsx";
import { Told } from "./told.tsx";

/** Resolved incidents, newest first. */
export function PastIncidents({ channels }: { channels: readonly Channel[] }) {
  const { t } = useTexts();
  const pages = useInfiniteQuery({
    queryKey: [...api.alerts.past.pathKey(), "pages"],
    queryFn: ({ pageParam }) => client.alerts.past.query({ cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const rows = useMemo(() => pages.data?.pages.flatMap(({ items }) => items) ?? [], [pages.data]);
  const columns = useColumns(channels);
  return (
    <section aria-labelledby="alerts-past" className="flex flex-col gap-3">
      <h2 id="alerts-past" className="text-base font-semibold">
        {t("alerts.past")}
      </h2>
      {pages.error && <FailureBox error={pages.error} asOfMs={pages.dataUpdatedAt} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <SkeletonRows rows={2} className="rounded-xl border border-line bg-surface" />}
      {pages.data && rows.length === 0 && <p className="text-sm text-ink-2">{t("alerts.pastNone")}</p>}
      {rows.length > 0 && <DataTable label={t("alerts.pastTable")} rows={rows} columns={columns} rowId={({ id }) => id} />}
      <LoadMore pages={pages} />
    </section>
  );
}

function useColumns(channels: readonly Channel[]): DataColumn<Incident>[] {
  const { t, language } = useTexts();
  const names = useNames();
  return useMemo(() => {
    const column = (id: string, header: string, cell: (incident: Incident) => React.ReactNode): DataColumn<Incident> => ({
      id,
      header,
      enableSorting: false,
      cell: ({ row }) => cell(row.original),
    });
    return [
      column("fired", t("alerts.columns.fired"), ({ firedAtMs }) => (
        <time dateTime={new Date(firedAtMs).toISOString()} className="whitespace-nowrap tabular-nums">
          {formatDateTime(firedAtMs, language)}
        </time>
      )),
      column("lasted", t("alerts.columns.lasted"), ({ firedAtMs, resolvedAtMs }) =>
        formatDuration((resolvedAtMs ?? firedAtMs) - firedAtMs),
      ),
      column("rule", t("alerts.columns.rule"), ({ ruleName, severity, resolution }) => (
        <span className="flex flex-wrap items-center gap-2 [overflow-wrap:anywhere]">
          <SeverityBadge severity={severity} />
          {ruleName}
          {resolution === "rule_off" && <span className="text-xs text-ink-3">{t("alerts.ruleOff")}</span>}
        </span>
      )),
      column("about", t("alerts.columns.about"), ({ kind, subject }) => (
        <span className="[overflow-wrap:anywhere]">
          {t(`alerts.kind.${kind}`)}
          <span className="block text-xs text-ink-3">{subjectText(names, subject) || t("alerts.everybody")}</span>
        </span>
      )),
      column("value", t("alerts.columns.value"), ({ kind, value, lastValue }) => {
        const [began, ended] = [valueText(kind, value, language), valueText(kind, lastValue, language)];
        return began === null ? "" : <span className="whitespace-nowrap tabular-nums">{`${began} → ${ended}`}</span>;
      }),
      column("told", t("alerts.columns.told"), ({ deliveries }) => <Told deliveries={deliveries} channels={channels} />),
    ];
  }, [t, language, names, channels]);
}
