import { useQuery } from "@tanstack/react-query";
import { Calculator, FileUp, History, Pencil, Plus, Tag } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { api } from "../../api/client.ts";
import { formatDateTime } from "../../format.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { Input } from "../../ui/field.tsx";
import { IconButton } from "../../ui/icon-button.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { PriceDialog } from "./price-dialog.tsx";
import { PriceHistoryDialog } from "./price-history-dialog.tsx";
import { PriceSourceBar } from "./price-source-bar.tsx";
import { amountFields, type Price, priceSourceText } from "./price-text.ts";
import { RepricingsSection } from "./repricings-section.tsx";
import { UnpricedNote } from "./unpriced-note.tsx";

const RepriceDialog = lazy(() => import("./reprice-dialog.tsx").then(({ RepriceDialog: one }) => ({ default: one })));
const ImportDialog = lazy(() => import("./import-dialog.tsx").then(({ ImportDialog: one }) => ({ default: one })));

/** Rows rendered initially: an imported table has more than anybody reads. */
const SHOWN_AT_FIRST = 200;

/** The price in force of each model, its versions, and their source. */
export function PricesPage() {
  const { t } = useTexts();
  const { data, dataUpdatedAt, error, refetch } = useQuery(api.prices.list.queryOptions());
  const editing = useOpened<Price | null>();
  const [history, setHistory] = useState<string | null>(null);
  const importing = useOpened<null>();
  const [query, setQuery] = useState("");
  const [all, setAll] = useState(false);
  const repricing = useOpened<string>();
  const columns = useColumns(editing.open, setHistory, repricing.open);
  const rows = useMemo(() => (data ?? []).filter(({ model }) => model.toLowerCase().includes(query.trim().toLowerCase())), [data, query]);
  const most = all ? rows.length : SHOWN_AT_FIRST;
  return (
    <Page
      title={t("prices.title")}
      state={<LiveIndicator />}
      lead={t("prices.lead")}
      actions={
        <>
          <Button onClick={() => importing.open(null)}>
            <FileUp aria-hidden="true" />
            {t("prices.importAction")}
          </Button>
          <Button variant="primary" onClick={() => editing.open(null)}>
            <Plus aria-hidden="true" />
            {t("prices.new")}
          </Button>
        </>
      }
    >
      <PriceSourceBar />
      <UnpricedNote />
      <RepricingsSection />
      <Input
        type="search"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        aria-label={t("prices.search")}
        placeholder={t("prices.search")}
        className="max-w-80"
      />
      {error && <FailureBox error={error} asOfMs={dataUpdatedAt} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && rows.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          {data.length === 0 ? (
            <Empty icon={<Tag />} title={t("prices.emptyTitle")} text={t("prices.emptyText")} />
          ) : (
            <Empty icon={<Tag />} title={t("prices.emptyFilterTitle")} text={t("prices.emptyFilterText", { query: query.trim() })}>
              <Button onClick={() => setQuery("")}>{t("prices.clearSearch")}</Button>
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
          most={most}
        />
      )}
      {most < rows.length && (
        <Button className="self-center" onClick={() => setAll(true)}>
          {t("prices.showMore", { count: rows.length - most })}
        </Button>
      )}
      {editing.opened && <PriceDialog price={editing.opened.for} onClose={editing.close} />}
      <Suspense>{repricing.opened && <RepriceDialog model={repricing.opened.for} onClose={repricing.close} />}</Suspense>
      {history !== null && <PriceHistoryDialog model={history} onClose={() => setHistory(null)} />}
      <Suspense>{importing.opened && <ImportDialog onClose={importing.close} />}</Suspense>
    </Page>
  );
}

type OfModel = (model: string) => void;

function useColumns(onEdit: (price: Price) => void, onHistory: OfModel, onReprice: OfModel): DataColumn<Price>[] {
  const { t, language } = useTexts();
  return useMemo(
    () => [
      {
        id: "model",
        accessorFn: ({ model }) => model,
        header: t("prices.model"),
        cell: ({ row: { original } }) => <span className="font-mono text-xs">{original.model}</span>,
      },
      ...amountFields.map(
        ([name, field, mayDerive]): DataColumn<Price> => ({
          id: name,
          accessorFn: (price) => Number(price[field] ?? -1),
          header: t(`prices.${name}`),
          align: "right",
          wideOnly: mayDerive,
          cell: ({ row: { original } }) =>
            original[field] === null ? (
              <span className="text-xs text-ink-3">{t("prices.derived")}</span>
            ) : (
              <span className="tabular-nums">${original[field]}</span>
            ),
        }),
      ),
      {
        id: "source",
        accessorFn: ({ source }) => source,
        header: t("prices.source"),
        wideOnly: true,
        cell: ({ row: { original } }) => (
          <span className="text-xs text-ink-2" title={formatDateTime(original.createdAtMs, language)}>
            {priceSourceText(t, original.source)}
          </span>
        ),
      },
      {
        id: "actions",
        header: () => <span className="sr-only">{t("common.actions")}</span>,
        enableSorting: false,
        align: "right",
        cell: ({ row: { original } }) => (
          <span className="inline-flex max-sm:-ml-2">
            <IconButton
              icon={History}
              label={t("prices.historyOf", { model: original.model })}
              title={t("prices.history")}
              onClick={() => onHistory(original.model)}
            />
            <IconButton
              icon={Calculator}
              label={t("prices.reprice.titleOf", { model: original.model })}
              title={t("prices.reprice.title")}
              onClick={() => onReprice(original.model)}
            />
            <IconButton
              icon={Pencil}
              label={t("prices.editTitle", { model: original.model })}
              title={t("common.edit")}
              onClick={() => onEdit(original)}
            />
          </span>
        ),
      },
    ],
    [t, language, onEdit, onHistory, onReprice],
  );
}
