import { type KeyStatus, keyStatuses } from "@sluice/core/key-statuses";
import { getRouteApi } from "@tanstack/react-router";
import { KeyRound, Plus, X } from "lucide-react";
import { useCallback, useMemo } from "react";
import { api, client } from "../../api/client.ts";
import { useNames } from "../../api/names.ts";
import { useKeyDialogs } from "../../keys/key-dialogs.tsx";
import { KeyCard, KeyCell, keyRow, useUsageColumns } from "../../keys/key-row.tsx";
import { ListFrame } from "../../lists/list-frame.tsx";
import { type ListSearch, listInput, pagedRows } from "../../lists/list-search.ts";
import { ListToolbar } from "../../lists/list-toolbar.tsx";
import { RowList } from "../../lists/row-list.tsx";
import { useList } from "../../lists/use-list.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty } from "../../ui/states.tsx";

const route = getRouteApi("/app/keys");
const LIMIT = 50;
const fields: ("owner" | "totals")[] = ["owner", "totals"];
const usable: KeyStatus[] = ["active", "disabled", "expired"];

/** Empty = all except revoked ones. */
function statusOf(status: string | undefined): KeyStatus[] | undefined {
  if (status === "all") return undefined;
  const known = keyStatuses.find((one) => one === status);
  return known ? [known] : usable;
}

/** One's own keys, and for administrators everybody's. */
export function KeysPage() {
  const { t } = useTexts();
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const admin = login.user.role === "admin";
  const names = useNames();
  const input = {
    ...(search.user && admin ? { userId: search.user } : {}),
    ...listInput(search),
    ...{ status: statusOf(search.status), limit: LIMIT, fields },
  };
  const list = useList(api.keys.pathKey(), input, (asked) => client.keys.list.query(asked));
  const { onAct, makeFor, dialogs } = useKeyDialogs(login);
  const change = useCallback(
    (part: Partial<ListSearch>) => void navigate({ search: (now) => ({ ...now, ...part }), replace: true }),
    [navigate],
  );
  const columns = useUsageColumns(t("keys.name"), [
    ...(admin ? [{ id: "owner", label: t("keys.owner"), track: "minmax(8rem, 1.4fr)" }] : []),
    { id: "group", label: t("keys.group"), track: "minmax(4.5rem, 0.7fr)", wideOnly: true },
  ]);
  const rows = useMemo(() => list.items.map((key, index) => keyRow(key, { level: 1, posInSet: index + 1, setSize: -1 })), [list.items]);
  const create = login.user.role !== "key" && (
    <Button variant="primary" onClick={() => makeFor(null)}>
      <Plus aria-hidden="true" />
      {t("keys.new")}
    </Button>
  );
  const cellProps = { admin, onAct };
  return (
    <Page
      className="min-h-0 flex-1"
      title={t("keys.title")}
      state={<LiveIndicator />}
      lead={
        search.user ? t("keys.leadOf", { name: names.user(search.user) }) : t(login.user.role === "key" ? "keys.leadByKey" : "keys.lead")
      }
      actions={create}
    >
      <ListToolbar
        search={search}
        hint={admin ? t("keys.searchHintAdmin") : t("keys.searchHint")}
        statuses={[
          { value: "", label: t("keys.usable") },
          { value: "active", label: t("keys.active") },
          { value: "disabled", label: t("common.disabled") },
          { value: "expired", label: t("keys.expired") },
          { value: "revoked", label: t("keys.revoked") },
          { value: "all", label: t("lists.anyStatus") },
        ]}
        onChange={change}
      >
        {search.user && (
          <Button variant="ghost" onClick={() => change({ user: undefined })}>
            <X aria-hidden="true" />
            {t("keys.allKeys")}
          </Button>
        )}
      </ListToolbar>
      <ListFrame
        search={search}
        query={list}
        isEmpty={list.items.length === 0}
        onClear={() => change({ q: undefined, status: undefined })}
        first={
          <Empty icon={<KeyRound />} title={t("keys.emptyTitle")} text={t("keys.emptyText")}>
            {create}
          </Empty>
        }
      >
        <RowList
          role="table"
          label={t("keys.table")}
          columns={columns}
          rows={rows}
          {...pagedRows(search, list, change)}
          onOpen={({ key }) => onAct({ act: "open", key })}
          cell={({ key }, column, tabIndex) => <KeyCell row={key} column={column} tabIndex={tabIndex} {...cellProps} />}
          card={({ key }, tabIndex) => <KeyCard row={key} tabIndex={tabIndex} {...cellProps} />}
        />
      </ListFrame>
      {dialogs}
    </Page>
  );
}
