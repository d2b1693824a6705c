import "../../live/repricing-feed.ts";
import type { Repricing } from "@sluice/core/events";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { useMemo } from "react";
import { api } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { exactCost, formatDateTime, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { signedCost } from "./reprice-preview.tsx";

/** Orders to reprice requests, newest first, with the progress of the running one. */
export function RepricingsSection() {
  const { t } = useTexts();
  const { data, error, refetch } = useQuery(api.prices.repricings.queryOptions());
  const columns = useColumns();
  if (error) return <FailureBox error={error} onRetry={() => void refetch()} />;
  if (!data || data.length === 0) return null;
  return (
    <section className="flex flex-col gap-3">
      <h2 className="text-base font-semibold">{t("prices.reprice.list")}</h2>
      <DataTable label={t("prices.reprice.list")} rows={data} columns={columns} rowId={({ id }) => id} />
    </section>
  );
}

function useColumns(): DataColumn<Repricing>[] {
  const { t, language } = useTexts();
  const names = useNames();
  return useMemo(() => {
    const time = (ms: number): string => formatDateTime(ms, language);
    const count = (value: number): string => formatExact(value, language);
    return [
      {
        id: "model",
        header: t("prices.model"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span className="font-mono text-xs break-all">{original.model}</span>,
      },
      {
        id: "range",
        header: t("prices.reprice.range"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span className="text-xs tabular-nums">
            {time(original.fromMs)} – {time(original.toMs)}
          </span>
        ),
      },
      {
        id: "progress",
        header: t("prices.reprice.progress"),
        enableSorting: false,
        cell: ({ row: { original } }) => <Progress of={original} />,
      },
      {
        id: "corrected",
        header: t("prices.reprice.changed"),
        align: "right",
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span className="tabular-nums">
            {count(original.corrected)} / {count(original.requests)}
          </span>
        ),
      },
      {
        id: "difference",
        header: t("prices.reprice.difference"),
        align: "right",
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span className="tabular-nums" title={exactCost(original.costNanoUsd)}>
            {signedCost(original.costNanoUsd)}
          </span>
        ),
      },
      {
        id: "ordered",
        header: t("prices.reprice.by"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span className="text-xs text-ink-2">
            {original.actorId ? names.user(original.actorId) : t("audit.system.cli")}, {time(original.createdAtMs)}
          </span>
        ),
      },
    ];
  }, [t, language, names]);
}

function Progress({ of: { fromMs, toMs, reachedMs, finishedAtMs } }: { of: Repricing }) {
  const { t } = useTexts();
  if (finishedAtMs === null)
    return (
      <progress
        aria-label={t("prices.reprice.progress")}
        max={toMs - fromMs}
        value={reachedMs - fromMs}
        className="h-2 w-28 accent-accent"
      />
    );
  return (
    <Badge tone="ok">
      <CircleCheck aria-hidden="true" />
      {t("prices.reprice.done")}
    </Badge>
  );
}
