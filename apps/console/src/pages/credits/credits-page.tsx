import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, ScrollText, SlidersHorizontal, Wallet } from "lucide-react";
import { useMemo } from "react";
import { api, client, type Outputs } from "../../api/client.ts";
import { type NameLookup, useNames } from "../../api/names.ts";
import { clockParts, exactCost, formatCost, formatDate, formatDateTime } from "../../format.ts";
import { useTopics } from "../../live/hub.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button, buttonClass } from "../../ui/button.tsx";
import { type DataColumn, DataTable } from "../../ui/data-table.tsx";
import { NativeSelect } from "../../ui/field.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { AccountCard } from "./account-card.tsx";
import { EntryDialog } from "./entry-dialog.tsx";
import { TermsDialog } from "./terms-dialog.tsx";

const route = getRouteApi("/app/credits");
const LIMIT = 50;
const topics = ["credits"] as const;

type Entry = Outputs["credits"]["entries"]["items"][number];

/** An account and its entries: one's own, or for administrators anybody's. */
export function CreditsPage() {
  const { t } = useTexts();
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useNames();
  useTopics(topics);
  const admin = login.user.role === "admin";
  const userId = admin ? search.user : login.user.id;
  const account = useQuery({ ...api.credits.account.queryOptions({ userId: userId ?? "" }), enabled: userId !== undefined });
  const pages = useEntries(userId);
  const dialog = useOpened<"entry" | "terms">();
  const columns = useColumns(admin && userId === undefined ? names : null);
  const refund = search.refund === undefined ? undefined : { requestId: search.refund, amountUsd: search.amount ?? "" };
  const close = (): void => {
    dialog.close();
    if (refund) void navigate({ search: { user: userId }, replace: true });
  };
  const name = userId === undefined ? "" : names.user(userId);
  const error = pages.error ?? account.error;
  return (
    <Page
      title={t("credits.title")}
      state={<LiveIndicator />}
      lead={t(admin ? "credits.lead" : "credits.ownLead")}
      actions={
        admin &&
        account.data && (
          <>
            <Button onClick={() => dialog.open("terms")}>
              <SlidersHorizontal aria-hidden="true" />
              {t("credits.terms")}
            </Button>
            <Button variant="primary" onClick={() => dialog.open("entry")}>
              <Plus aria-hidden="true" />
              {t("credits.newEntry")}
            </Button>
          </>
        )
      }
    >
      {admin && (
        <NativeSelect
          aria-label={t("credits.user")}
          className="max-w-96"
          value={userId ?? ""}
          onChange={(event) => void navigate({ search: { user: event.target.value || undefined }, replace: true })}
        >
          <option value="">{t("credits.everybody")}</option>
          {names.list.users.map((user) => (
            <option key={user.id} value={user.id}>
              {`${user.name} (${user.email})`}
            </option>
          ))}
        </NativeSelect>
      )}
      {userId !== undefined && account.data && <AccountCard account={account.data} />}
      {error && <FailureBox error={error} asOfMs={pages.dataUpdatedAt} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {pages.data && pages.entries.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty icon={<Wallet />} title={t("credits.noneTitle")} text={t("credits.noneText")} />
        </div>
      )}
      {pages.entries.length > 0 && (
        <DataTable dense label={t("credits.table")} rows={pages.entries} columns={columns} rowId={({ id }) => id} />
      )}
      <LoadMore pages={pages} />
      {admin && userId !== undefined && (dialog.opened?.for === "entry" || refund) && (
        <EntryDialog userId={userId} name={name} refund={refund} onClose={close} />
      )}
      {dialog.opened?.for === "terms" && account.data && <TermsDialog account={account.data} name={name} onClose={close} />}
    </Page>
  );
}

/** All loaded pages are reloaded together when a push reports a change of an account. */
function useEntries(userId: string | undefined) {
  const filter = userId === undefined ? {} : { userId };
  const query = useInfiniteQuery({
    queryKey: [...api.credits.pathKey(), "pages", filter],
    queryFn: ({ pageParam }) => client.credits.entries.query({ filter, cursor: pageParam, limit: LIMIT }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const entries = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  return { ...query, entries };
}

/** The amount moved: of the balance or, for a hold and its release, of the held part. */
function movedBy({ kind, amountNanoUsd, heldNanoUsd }: Entry): string {
  return kind === "hold" || kind === "release" ? heldNanoUsd : amountNanoUsd;
}

function useColumns(names: NameLookup | null): DataColumn<Entry>[] {
  const { t, language } = useTexts();
  return useMemo(() => {
    const column = (id: string, cell: (entry: Entry) => React.ReactNode, more: Partial<DataColumn<Entry>> = {}): DataColumn<Entry> =>
      ({
        id,
        header: t(`credits.columns.${id}` as "credits.columns.time"),
        enableSorting: false,
        cell: ({ row }) => cell(row.original),
        ...more,
      }) as DataColumn<Entry>;
    return [
      column("time", ({ atMs }) => (
        <time dateTime={new Date(atMs).toISOString()} title={formatDateTime(atMs, language)} className="whitespace-nowrap tabular-nums">
          {clockParts(atMs).time} <span className="text-xs text-ink-3">{formatDate(atMs, language)}</span>
        </time>
      )),
      ...(names ? [column("user", ({ userId }) => names.user(userId))] : []),
      column("kind", ({ kind }) => t(`credits.entry.${kind}`)),
      column(
        "amount",
        (entry) => {
          const nano = movedBy(entry);
          return (
            <span className="tabular-nums" title={exactCost(nano)}>
              {BigInt(nano) > 0n && "+"}
              {formatCost(nano)}
            </span>
          );
        },
        { align: "right" },
      ),
      column(
        "balance",
        ({ balanceNanoUsd }) => (
          <span className="tabular-nums text-ink-2" title={exactCost(balanceNanoUsd)}>
            {formatCost(balanceNanoUsd)}
          </span>
        ),
        { align: "right" },
      ),
      column("reason", ({ reason, referenceKind, referenceId }) => (
        <span className="flex items-center gap-1">
          <span className="line-clamp-1 [unicode-bidi:plaintext] max-w-96 break-all" title={reason || referenceId}>
            {reason || (referenceKind && `${referenceKind} ${referenceId}`)}
          </span>
          {referenceKind === "request" && (
            <Link
              to="/logs"
              search={{ log: referenceId }}
              aria-label={t("credits.openRequest")}
              title={t("credits.openRequest")}
              className={buttonClass({ variant: "ghost", size: "iconSm" }, "-my-1")}
            >
              <ScrollText aria-hidden="true" />
            </Link>
          )}
        </span>
      )),
    ];
  }, [t, language, names]);
}
