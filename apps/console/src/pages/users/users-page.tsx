import { useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Layers, Plus, Users } from "lucide-react";
import { useCallback, useState } from "react";
import { api, client } from "../../api/client.ts";
import { useKeyDialogs } from "../../keys/key-dialogs.tsx";
import { KeyCard, KeyCell, useUsageColumns } from "../../keys/key-row.tsx";
import { ListFrame } from "../../lists/list-frame.tsx";
import { type ListSearch, listInput, pagedRows } from "../../lists/list-search.ts";
import { ListToolbar } from "../../lists/list-toolbar.tsx";
import { RowList } from "../../lists/row-list.tsx";
import { useList } from "../../lists/use-list.ts";
import { useTopics } from "../../live/hub.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { GroupsDialog } from "./groups-dialog.tsx";
import type { User } from "./user.ts";
import { type UserAct, UserCard, UserCell } from "./user-cells.tsx";
import { UserDialog } from "./user-dialog.tsx";
import { type TreeRow, useUserTree } from "./user-tree.tsx";

const route = getRouteApi("/app/admin/users");
const LIMIT = 50;
const statuses = ["active", "disabled"] as const;
const fields: ("email" | "totals" | "keys" | "credit")[] = ["email", "totals", "keys", "credit"];
const topics = ["credits"] as const;

/** Who may sign in and own keys: a tree of users and their keys. */
export function UsersPage() {
  const { t } = useTexts();
  const { login } = route.useRouteContext();
  const search = route.useSearch();
  const [showsGroups, setShowsGroups] = useState(false);
  const navigate = route.useNavigate();
  const status = statuses.find((one) => one === search.status);
  const input = { ...listInput(search), status, limit: LIMIT, fields };
  useTopics(topics);
  const list = useList(api.users.pathKey(), input, (asked) => client.users.list.query(asked));
  const { rows, toggle } = useUserTree(list.items);
  const keys = useKeyDialogs(login);
  const users = useUserActs({ me: login.user.id, toggle, makeKeyFor: keys.makeFor });
  const change = useCallback(
    (part: Partial<ListSearch>) => void navigate({ search: (now) => ({ ...now, ...part }), replace: true }),
    [navigate],
  );
  const second = [
    { id: "credit", label: t("credits.title"), track: "minmax(7rem, 1fr)", wideOnly: true },
    { id: "roleGroup", label: t("users.roleGroup"), track: "minmax(7rem, 1fr)", wideOnly: true },
  ];
  const columns = useUsageColumns(t("users.name"), second, t("users.keysLimits"));
  const create = (
    <>
      <Button onClick={() => setShowsGroups(true)}>
        <Layers aria-hidden="true" />
        {t("groups.title")}
      </Button>
      <Button variant="primary" onClick={users.add}>
        <Plus aria-hidden="true" />
        {t("users.new")}
      </Button>
    </>
  );
  const of = (row: TreeRow, tabIndex: 0 | -1) => ({ tabIndex, expanded: row.expanded ?? false, me: login.user.id, onAct: users.onAct });
  const ofKey = (tabIndex: 0 | -1) => ({ tabIndex, admin: true, onAct: keys.onAct });
  return (
    <Page className="min-h-0 flex-1" title={t("users.title")} state={<LiveIndicator />} lead={t("users.lead")} actions={create}>
      <ListToolbar
        search={search}
        hint={t("users.searchHint")}
        statuses={[
          { value: "", label: t("lists.anyStatus") },
          { value: "active", label: t("users.active") },
          { value: "disabled", label: t("common.disabled") },
        ]}
        onChange={change}
      />
      <ListFrame
        search={search}
        query={list}
        isEmpty={list.items.length === 0}
        onClear={() => change({ q: undefined, status: undefined })}
        first={<Empty icon={<Users />} title={t("users.title")} text={t("users.lead")} />}
      >
        <RowList
          role="treegrid"
          label={t("users.table")}
          columns={columns}
          rows={rows}
          {...pagedRows(search, list, change)}
          onOpen={(row) => {
            if (row.kind === "key") keys.onAct({ act: "open", key: row.key });
            else if (row.kind === "user") users.onAct({ act: "edit", user: row.user });
          }}
          onToggle={(row, expanded) => toggle(row.id, expanded)}
          cell={(row, column, tabIndex) => {
            if (row.kind === "user") return <UserCell user={row.user} column={column} {...of(row, tabIndex)} />;
            if (row.kind !== "key") return null;
            const cell = <KeyCell row={row.key} column={column === "roleGroup" ? "group" : column} {...ofKey(tabIndex)} />;
            return column === "name" ? <div className="pl-12">{cell}</div> : cell;
          }}
          card={(row, tabIndex) =>
            row.kind === "user" ? (
              <UserCard user={row.user} {...of(row, tabIndex)} />
            ) : row.kind === "key" ? (
              <KeyCard row={row.key} {...ofKey(tabIndex)} />
            ) : null
          }
        />
      </ListFrame>
      {keys.dialogs}
      {users.dialogs}
      {showsGroups && <GroupsDialog onClose={() => setShowsGroups(false)} />}
    </Page>
  );
}

interface UserActsOptions {
  me: string;
  toggle(id: string, expanded: boolean): void;
  makeKeyFor(user: User): void;
}

/** Everything a page can do with users: the actions, and the dialogs they open. */
function useUserActs({ me, toggle, makeKeyFor }: UserActsOptions) {
  const { t } = useTexts();
  const editing = useOpened<User | null>();
  const deleting = useOpened<User>();
  const onError = useToastFailure();
  const update = useMutation(api.users.update.mutationOptions({ onError }));
  // The callbacks are part of the mutation: callbacks passed to `mutate` run only for the latest of concurrent calls.
  const enable = useMutation({
    mutationFn: ({ user: { id }, enabled }: { user: User; enabled: boolean }) => client.users.update.mutate({ id, enabled }),
    onSuccess: (_, { user: { id, name }, enabled }) =>
      toastDone(t(enabled ? "users.enabledToast" : "users.disabledToast", { name }), {
        label: t("common.undo"),
        run: () => update.mutate({ id, enabled: !enabled }),
      }),
    onError,
  });
  const remove = useMutation({
    mutationFn: ({ id }: User) => client.users.delete.mutate({ id }),
    onSuccess: (_, { name }) => toastDone(t("users.deletedToast", { name })),
    onError,
  });

  function onAct(act: UserAct): void {
    const { user } = act;
    if (act.act === "enable") enable.mutate({ user, enabled: act.enabled });
    else if (act.act === "toggle") toggle(user.id, act.expanded);
    else if (act.act === "newKey") makeKeyFor(user);
    else if (act.act === "delete") deleting.open(user);
    else editing.open(user);
  }

  const dialogs = (
    <>
      {editing.opened && <UserDialog user={editing.opened.for} me={me} onClose={editing.close} />}
      <Confirm
        open={deleting.opened !== null}
        onOpenChange={(open) => !open && deleting.close()}
        title={t("users.deleteTitle", { name: deleting.opened?.for.name ?? "" })}
        text={t("users.deleteText")}
        action={t("common.delete")}
        busy={remove.isPending}
        onConfirm={() => deleting.opened && remove.mutate(deleting.opened.for, { onSuccess: deleting.close })}
      />
    </>
  );
  return { onAct, add: () => editing.open(null), dialogs };
}
