import type { DurationFigure } from "@sluice/core/figures";
import { useMemo } from "react";
import { formatCount, formatDuration } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";

const shares = [
  { id: "p50", of: ({ p50Ms }: DurationFigure) => p50Ms },
  { id: "p95", of: ({ p95Ms }: DurationFigure) => p95Ms },
  { id: "p99", of: ({ p99Ms }: DurationFigure) => p99Ms },
] as const;

/** Recent durations of one kind, by name. */
export function DurationsTable({ label, hint, rows }: { label: string; hint: string; rows: DurationFigure[] }) {
  const { t, language } = useTexts();
  const columns = useMemo<DataColumn<DurationFigure>[]>(
    () => [
      {
        id: "name",
        accessorFn: ({ name }) => name,
        header: t("figures.name"),
        cell: ({ row: { original } }) => <span className="font-mono text-xs break-all">{original.name}</span>,
      },
      {
        id: "count",
        accessorFn: ({ count }) => count,
        header: t("figures.count"),
        align: "right",
        cell: ({ row: { original } }) => <span className="tabular-nums">{formatCount(original.count, language)}</span>,
      },
      {
        id: "errors",
        accessorFn: ({ errors }) => errors,
        header: t("figures.errors"),
        align: "right",
        cell: ({ row: { original } }) => (
          <span className={original.errors > 0 ? "tabular-nums text-bad" : "tabular-nums"}>{formatCount(original.errors, language)}</span>
        ),
      },
      ...shares.map(
        ({ id, of }): DataColumn<DurationFigure> => ({
          id,
          accessorFn: (row) => of(row) ?? -1,
          header: id,
          align: "right",
          cell: ({ row: { original } }) => <span className="tabular-nums">{formatDuration(of(original))}</span>,
        }),
      ),
    ],
    [t, language],
  );
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <div>
        <h2 className="text-sm font-semibold">{label}</h2>
        <p className="text-xs text-ink-3">{hint}</p>
      </div>
      {rows.length === 0 ? (
        <p className="rounded-xl border border-line bg-surface px-4 py-3 text-sm text-ink-2">{t("figures.none")}</p>
      ) : (
        <DataTable label={label} rows={rows} columns={columns} rowId={({ name }) => name} dense />
      )}
    </div>
  );
}
