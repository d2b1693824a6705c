import { useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, queryClient } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { useUserPages } from "../../api/use-pages.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { Page } from "../../ui/page.tsx";
import { FailureBox, SkeletonRows, useFailureText } from "../../ui/states.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import { userColumns } from "./user-columns.tsx";
import { type User, UserDialog } from "./user-dialog.tsx";

const route = getRouteApi("/app/admin/users");

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: api.users.pathKey() });
}

/** Who may sign in and own keys. */
export function UsersPage() {
  const { t } = useTranslation();
  const { login } = route.useRouteContext();
  const failureText = useFailureText();
  const pages = useUserPages();
  const [editing, setEditing] = useState<User | "new" | null>(null);
  const toggle = useMutation(
    api.users.update.mutationOptions({
      onSuccess: (user) => {
        readAgain();
        toastDone(t(user.enabled ? "users.enabledToast" : "users.disabledToast", { name: user.name }), {
          label: t("common.undo"),
          run: () => toggle.mutate({ id: user.id, enabled: !user.enabled }),
        });
      },
      onError: (error) => toastFailed(failureText(readFailure(error))),
    }),
  );
  const { mutate: update } = toggle;
  const columns = useMemo(
    () => userColumns({ t, me: login.user.id, onEdit: setEditing, onToggle: (user, enabled) => update({ id: user.id, enabled }) }),
    [t, login.user.id, update],
  );
  return (
    <Page
      title={t("users.title")}
      state={<LiveIndicator />}
      lead={t("users.lead")}
      actions={
        <Button variant="primary" onClick={() => setEditing("new")}>
          <Plus aria-hidden="true" />
          {t("users.new")}
        </Button>
      }
    >
      {pages.error && <FailureBox error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {pages.rows.length > 0 && (
        <DataTable label={t("users.table")} rows={pages.rows} columns={columns} rowId={({ id }) => id} dim={({ enabled }) => !enabled} />
      )}
      {pages.hasNextPage && (
        <LoadMore
          shown={pages.rows.length}
          total={pages.total}
          busy={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        />
      )}
      {editing && (
        <UserDialog user={editing === "new" ? null : editing} me={login.user.id} onClose={() => setEditing(null)} onSaved={readAgain} />
      )}
    </Page>
  );
}
