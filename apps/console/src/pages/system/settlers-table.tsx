import type { InstanceState } from "@sluice/core/events";
import { useMemo } from "react";
import { formatCount, formatDateTime, formatDuration, formatExact } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { Seen } from "./seen.tsx";

/** The spool and settler of each gateway, by its latest report. */
export function SettlersTable({ gateways }: { gateways: InstanceState[] }) {
  const { t, language } = useTexts();
  const columns = useMemo<DataColumn<InstanceState>[]>(
    () => [
      {
        id: "instance",
        header: t("system.instance"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span className="font-mono text-xs break-all">{original.id}</span>,
      },
      { id: "state", header: t("system.seen"), enableSorting: false, cell: ({ row: { original } }) => <Seen instance={original} /> },
      {
        id: "spool",
        header: t("system.spool"),
        enableSorting: false,
        cell: ({ row: { original } }) => <Writable isWritable={original.spool?.writable ?? true} />,
      },
      {
        id: "waiting",
        accessorFn: ({ spool }) => spool?.depth ?? 0,
        header: t("ledger.waiting"),
        align: "right",
        cell: ({ row: { original } }) => <Waiting spool={original.spool} />,
      },
      ...counts.map(
        ({ name, of }): DataColumn<InstanceState> => ({
          id: name,
          accessorFn: (instance) => of(instance.spool) ?? -1,
          header: t(`ledger.${name}`),
          align: "right",
          cell: ({ row: { original } }) => {
            const value = of(original.spool);
            return <span className="tabular-nums">{value === null ? "—" : formatCount(value, language)}</span>;
          },
        }),
      ),
      {
        id: "failures",
        accessorFn: ({ spool }) => spool?.settler?.failures ?? -1,
        header: t("ledger.failures"),
        cell: ({ row: { original } }) => <Failures settler={original.spool?.settler} />,
      },
    ],
    [t, language],
  );
  return <DataTable label={t("ledger.settlers")} rows={gateways} columns={columns} rowId={({ id }) => id} />;
}

type Spool = InstanceState["spool"];

const counts: readonly { name: "flushes" | "rowsPerFlush" | "recovered" | "quarantined"; of(spool: Spool): number | null }[] = [
  { name: "flushes", of: (spool) => spool?.settler?.flushes ?? null },
  {
    name: "rowsPerFlush",
    of: (spool) =>
      spool?.settler && spool.settler.flushes > 0 ? Math.round((spool.settler.rows / spool.settler.flushes) * 10) / 10 : null,
  },
  { name: "recovered", of: (spool) => spool?.settler?.recovered ?? null },
  { name: "quarantined", of: (spool) => spool?.quarantined ?? null },
];

function Writable({ isWritable }: { isWritable: boolean }) {
  const { t } = useTexts();
  return <Badge tone={isWritable ? "ok" : "bad"}>{t(isWritable ? "ledger.writable" : "system.unwritable")}</Badge>;
}

function Waiting({ spool }: { spool: Spool }) {
  const { t, language } = useTexts();
  if (!spool) return <span className="text-ink-3">—</span>;
  return (
    <span className="tabular-nums">
      {formatExact(spool.depth, language)}{" "}
      {spool.depth > 0 && <span className="text-xs text-ink-3">{t("system.spoolAge", { age: formatDuration(spool.oldestAgeMs) })}</span>}
    </span>
  );
}

function Failures({ settler }: { settler: NonNullable<Spool>["settler"] }) {
  const { t, language } = useTexts();
  if (!settler?.lastFailure) return <span className="text-ink-3">{settler ? t("ledger.none") : "—"}</span>;
  const { atMs, reason } = settler.lastFailure;
  return (
    <div className="min-w-0 max-w-md">
      <p className="tabular-nums">
        {formatCount(settler.failures, language)}{" "}
        <span className="text-xs text-ink-3">{t("ledger.lastAt", { time: formatDateTime(atMs, language) })}</span>
      </p>
      <p className="text-xs break-words text-bad">{reason}</p>
    </div>
  );
}
