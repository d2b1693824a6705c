import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Tag } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { Input } from "../../ui/field.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { PriceDialog } from "./price-dialog.tsx";

type Price = Outputs["prices"]["list"][number];

const kinds = [
  ["input", "inputPerMTok", false],
  ["output", "outputPerMTok", false],
  ["cacheRead", "cacheReadPerMTok", true],
  ["cacheWrite5m", "cacheWrite5mPerMTok", true],
  ["cacheWrite1h", "cacheWrite1hPerMTok", true],
] as const;

/** The price in force of each model. */
export function PricesPage() {
  const { t } = useTranslation();
  const options = api.prices.list.queryOptions();
  const { data, error, refetch } = useQuery(options);
  const [editing, setEditing] = useState<Price | "new" | null>(null);
  const [query, setQuery] = useState("");
  const rows = useMemo(() => (data ?? []).filter(({ model }) => model.toLowerCase().includes(query.trim().toLowerCase())), [data, query]);
  const columns = useMemo<DataColumn<Price>[]>(
    () => [
      {
        id: "model",
        accessorFn: ({ model }) => model,
        header: t("prices.model"),
        cell: ({ row }) => <span className="font-medium whitespace-nowrap">{row.original.model}</span>,
      },
      ...kinds.map(
        ([name, field, wideOnly]): DataColumn<Price> => ({
          id: name,
          accessorFn: (price) => Number(price[field] ?? Number.NaN),
          header: t(`prices.${name}`),
          align: "right",
          wideOnly,
          cell: ({ row }) => row.original[field] ?? <span className="text-ink-3">{t("prices.derived")}</span>,
        }),
      ),
      {
        id: "source",
        accessorFn: ({ source }) => source,
        header: t("prices.source"),
        wideOnly: true,
        cell: ({ row }) => <span className="whitespace-nowrap text-ink-3">{row.original.source}</span>,
      },
      {
        id: "actions",
        header: () => <span className="sr-only">{t("common.actions")}</span>,
        enableSorting: false,
        align: "right",
        cell: ({ row }) => (
          <Button
            variant="ghost"
            size="iconSm"
            aria-label={t("prices.editTitle", { model: row.original.model })}
            onClick={() => setEditing(row.original)}
          >
            <Pencil aria-hidden="true" />
          </Button>
        ),
      },
    ],
    [t],
  );
  return (
    <Page
      title={t("prices.title")}
      state={<LiveIndicator />}
      lead={t("prices.lead")}
      actions={
        <>
          <Input
            type="search"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            aria-label={t("common.search")}
            placeholder={t("common.search")}
            className="w-44"
          />
          <Button variant="primary" onClick={() => setEditing("new")}>
            <Plus aria-hidden="true" />
            {t("prices.new")}
          </Button>
        </>
      }
    >
      {error && <FailureBox error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && rows.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          {data.length === 0 ? (
            <Empty icon={<Tag />} title={t("prices.emptyTitle")} text={t("prices.emptyText")} />
          ) : (
            <Empty icon={<Tag />} title={t("logs.emptyFilterTitle")} text={query}>
              <Button onClick={() => setQuery("")}>{t("logs.clearFilters")}</Button>
            </Empty>
          )}
        </div>
      )}
      {rows.length > 0 && (
        <DataTable
          dense
          label={t("prices.table")}
          rows={rows}
          columns={columns}
          rowId={({ id }) => id}
          sort={[{ id: "model", desc: false }]}
        />
      )}
      {editing && (
        <PriceDialog
          price={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
          onSaved={() => void queryClient.invalidateQueries({ queryKey: options.queryKey })}
        />
      )}
    </Page>
  );
}
