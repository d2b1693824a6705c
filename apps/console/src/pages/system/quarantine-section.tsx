import { type QuarantineState, quarantineStates } from "@sluice/core/inputs/quarantine";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { useMemo, useState } from "react";
import { api, client, type Outputs } from "../../api/client.ts";
import { formatBytes, formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { Segments } from "../../ui/segments.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { QuarantineDialog } from "./quarantine-dialog.tsx";

type Quarantined = Outputs["quarantine"]["list"]["items"][number];

const tones: Record<QuarantineState, Tone> = { waiting: "warn", released: "ok", dismissed: "idle" };

/** Ledger records that PostgreSQL refused; a click shows the content and the possible actions. */
export function QuarantineSection() {
  const { t } = useTexts();
  const [state, setState] = useState<QuarantineState | "">("");
  const record = useOpened<string>();
  const pages = useInfiniteQuery({
    queryKey: [...api.quarantine.list.pathKey(), "pages", state],
    queryFn: ({ pageParam }) => client.quarantine.list.query({ cursor: pageParam, limit: 50, ...(state && { state }) }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor, hasMore }) => (hasMore ? nextCursor : null),
    refetchOnMount: "always",
  });
  const rows = useMemo(() => pages.data?.pages.flatMap(({ items }) => items) ?? [], [pages.data]);
  const columns = useColumns(record.open);
  const states: { value: QuarantineState | ""; label: string }[] = [
    { value: "", label: t("ledger.anyState") },
    ...quarantineStates.map((value) => ({ value, label: t(`ledger.state.${value}`) })),
  ];
  return (
    <section aria-labelledby="quarantine" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id="quarantine" className="text-base font-semibold">
            {t("ledger.quarantine")}
          </h2>
          <p className="max-w-[68ch] text-sm text-ink-2">{t("ledger.quarantineLead")}</p>
        </div>
        <Segments<QuarantineState | ""> label={t("ledger.stateName")} value={state} options={states} onChange={setState} />
      </div>
      {pages.error && <FailureBox error={pages.error} asOfMs={pages.dataUpdatedAt} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <SkeletonRows rows={2} className="rounded-xl border border-line bg-surface" />}
      {pages.data && rows.length === 0 && (
        <p className="flex items-center gap-2 text-sm text-ink-2">
          <ShieldCheck aria-hidden="true" className="size-4 text-ok" />
          {t(state === "" ? "ledger.quarantineNone" : "ledger.quarantineNoneOf")}
        </p>
      )}
      {rows.length > 0 && (
        <DataTable
          dense
          label={t("ledger.quarantineTable")}
          rows={rows}
          columns={columns}
          rowId={({ id }) => id}
          dim={(row) => row.state !== "waiting"}
        />
      )}
      <LoadMore pages={pages} />
      {record.opened && <QuarantineDialog id={record.opened.for} onClose={record.close} />}
    </section>
  );
}

function useColumns(onOpen: (id: string) => void): DataColumn<Quarantined>[] {
  const { t, language } = useTexts();
  return useMemo(
    () => [
      {
        id: "at",
        header: t("ledger.at"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span className="whitespace-nowrap tabular-nums">{formatDateTime(original.atMs, language)}</span>,
      },
      {
        id: "request",
        header: t("ledger.request"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <button
            type="button"
            className="min-h-6 rounded text-left font-mono text-xs break-all text-accent-ink hover:underline"
            onClick={() => onOpen(original.id)}
          >
            {original.requestId || t("ledger.damaged")}
          </button>
        ),
      },
      {
        id: "reason",
        header: t("ledger.reason"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span className="line-clamp-2 break-words">{original.reason}</span>,
      },
      {
        id: "size",
        header: t("ledger.size"),
        enableSorting: false,
        align: "right",
        wideOnly: true,
        cell: ({ row: { original } }) => (
          <span className="whitespace-nowrap tabular-nums">{formatBytes(original.sizeBytes, language)}</span>
        ),
      },
      {
        id: "state",
        header: t("ledger.stateName"),
        enableSorting: false,
        cell: ({ row: { original } }) => <Badge tone={tones[original.state]}>{t(`ledger.state.${original.state}`)}</Badge>,
      },
    ],
    [t, language, onOpen],
  );
}
