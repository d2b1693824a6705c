import { getRouteApi } from "@tanstack/react-router";
import { ArrowUp, Ban, ScrollText } from "lucide-react";
import { useMemo, useState } from "react";
import { clockParts, formatDate, formatDateTime } from "../../format.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { AuditDialog } from "./audit-dialog.tsx";
import { AuditFilters } from "./audit-filters.tsx";
import { type AuditEntry, actorText, changesOf, targetText } from "./audit-text.ts";
import { isFiltered } from "./search.ts";
import { useAuditPages } from "./use-audit-pages.ts";

const route = getRouteApi("/app/admin/audit");

/** Who changed what, newest first; new entries appear by push. */
export function AuditPage() {
  const { t } = useTexts();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const pages = useAuditPages(search);
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const columns = useColumns(setOpen);
  const clear = (): void => void navigate({ search: {}, replace: true });
  return (
    <Page title={t("audit.title")} state={<LiveIndicator />} lead={t("audit.lead")}>
      <AuditFilters
        search={search}
        actions={pages.entries.map(({ action }) => action)}
        onChange={(change) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true })}
        onClear={clear}
      />
      {pages.fresh && (
        <Button variant="primary" className="self-center" onClick={pages.restart}>
          <ArrowUp aria-hidden="true" />
          {t("audit.fresh")}
        </Button>
      )}
      {pages.error && <FailureBox error={pages.error} asOfMs={pages.dataUpdatedAt} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {pages.data && pages.entries.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          {isFiltered(search) ? (
            <Empty icon={<ScrollText />} title={t("audit.emptyFilterTitle")} text={t("audit.emptyFilterText")}>
              <Button onClick={clear}>{t("audit.clearFilters")}</Button>
            </Empty>
          ) : (
            <Empty icon={<ScrollText />} title={t("audit.emptyTitle")} text={t("audit.emptyText")} />
          )}
        </div>
      )}
      {pages.entries.length > 0 && (
        <DataTable
          dense
          label={t("audit.table")}
          rows={pages.entries}
          columns={columns}
          rowId={({ id }) => id}
          dim={({ outcome }) => outcome === "denied"}
        />
      )}
      <LoadMore pages={pages} />
      {open && (
        <AuditDialog
          entry={open}
          onClose={() => setOpen(null)}
          onFilter={(filter) => {
            setOpen(null);
            void navigate({ search: filter });
          }}
        />
      )}
    </Page>
  );
}

const MOST_SHOWN = 3;

function useColumns(onOpen: (entry: AuditEntry) => void): DataColumn<AuditEntry>[] {
  const { t, language } = useTexts();
  return useMemo(
    () => [
      {
        id: "time",
        header: t("audit.time"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <time
            dateTime={new Date(original.atMs).toISOString()}
            title={formatDateTime(original.atMs, language)}
            className="whitespace-nowrap tabular-nums"
          >
            {clockParts(original.atMs).time} <span className="text-xs text-ink-3">{formatDate(original.atMs, language)}</span>
          </time>
        ),
      },
      {
        id: "actor",
        header: t("audit.actor"),
        enableSorting: false,
        cell: ({ row: { original } }) => <span title={original.actor.email}>{actorText(t, original.actor)}</span>,
      },
      {
        id: "action",
        header: t("audit.action"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span className="flex flex-wrap items-center gap-2">
            <button
              type="button"
              className="min-h-6 rounded font-mono text-xs text-accent-ink hover:underline"
              onClick={() => onOpen(original)}
            >
              {original.action}
            </button>
            {original.outcome === "denied" && (
              <Badge tone="bad">
                <Ban aria-hidden="true" />
                {t("audit.outcome.denied")}
              </Badge>
            )}
          </span>
        ),
      },
      {
        id: "target",
        header: t("audit.target"),
        enableSorting: false,
        cell: ({ row: { original } }) => (
          <span className="line-clamp-1 [unicode-bidi:plaintext] max-w-72 break-all">{targetText(original)}</span>
        ),
      },
      {
        id: "changes",
        header: t("audit.changes"),
        enableSorting: false,
        wideOnly: true,
        cell: ({ row: { original } }) => {
          const { changes } = changesOf(original);
          const names = changes.slice(0, MOST_SHOWN).map(({ id }) => id);
          const more = changes.length - names.length;
          return (
            <span className="line-clamp-1 [unicode-bidi:plaintext] text-xs text-ink-2">
              {names.join(", ")} {more > 0 && t("audit.moreFields", { count: more })}
            </span>
          );
        },
      },
    ],
    [t, language, onOpen],
  );
}
