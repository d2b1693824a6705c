import { useInfiniteQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, client, type Outputs } from "../../api/client.ts";
import { formatBytes, formatDateTime } from "../../format.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { FailureBox } from "../../ui/states.tsx";

type Quarantined = Outputs["system"]["quarantine"]["items"][number];

/** Records of the ledger that PostgreSQL refused. Asked for only when there are any. */
export function QuarantineSection({ waiting }: { waiting: number | null }) {
  const { t, i18n } = useTranslation();
  const pages = useInfiniteQuery({
    queryKey: [...api.system.quarantine.queryKey(), "pages"],
    queryFn: ({ pageParam }) => client.system.quarantine.query({ cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor, hasMore }) => (hasMore ? nextCursor : null),
    enabled: waiting !== null && waiting > 0,
  });
  const rows = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  const columns = useMemo<DataColumn<Quarantined>[]>(
    () => [
      {
        id: "at",
        accessorFn: ({ atMs }) => atMs,
        header: t("system.at"),
        cell: ({ row: { original } }) => <span className="tabular-nums">{formatDateTime(original.atMs, i18n.language)}</span>,
      },
      {
        id: "request",
        header: t("system.request"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span className="break-all font-mono text-xs">{original.requestId}</span>,
      },
      {
        id: "reason",
        header: t("system.reason"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span className="break-words">{original.reason}</span>,
      },
      {
        id: "size",
        accessorFn: ({ sizeBytes }) => sizeBytes,
        header: t("system.recordSize"),
        align: "right",
        cell: ({ row: { original } }) => <span className="tabular-nums">{formatBytes(original.sizeBytes, i18n.language)}</span>,
      },
      {
        id: "state",
        header: t("system.released"),
        enableSorting: false,
        cell: ({ row: { original } }) =>
          original.releasedAtMs === null ? (
            <Badge tone="warn">{t("system.waiting")}</Badge>
          ) : (
            <Badge tone="ok">{formatDateTime(original.releasedAtMs, i18n.language)}</Badge>
          ),
      },
    ],
    [t, i18n.language],
  );
  return (
    <section aria-labelledby="quarantine" className="flex flex-col gap-3">
      <div>
        <h2 id="quarantine" className="text-base font-semibold">
          {t("system.quarantine")}
        </h2>
        <p className="text-sm text-ink-2">{t("system.quarantineLead")}</p>
      </div>
      {waiting === 0 && (
        <p className="flex items-center gap-2 text-sm text-ink-2">
          <ShieldCheck aria-hidden="true" className="size-4 text-ok" />
          {t("system.quarantineNone")}
        </p>
      )}
      {pages.error && <FailureBox error={pages.error} onRetry={() => void pages.refetch()} />}
      {rows.length > 0 && <DataTable dense label={t("system.quarantine")} rows={rows} columns={columns} rowId={({ id }) => id} />}
      {pages.hasNextPage && (
        <Button className="self-center" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t("common.loadMore")}
        </Button>
      )}
    </section>
  );
}
