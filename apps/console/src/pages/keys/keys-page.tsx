import { useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { KeyRound, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, queryClient } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { useKeyPages } from "../../api/use-pages.ts";
import { serverNow } from "../../live/server-clock.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows, useFailureText } from "../../ui/states.tsx";
import { Switch } from "../../ui/switch.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import { CreatedKeyDialog } from "./created-key-dialog.tsx";
import { type Key, keyStatus } from "./key.ts";
import { keyColumns } from "./key-columns.tsx";
import { KeyDialog } from "./key-dialog.tsx";

const route = getRouteApi("/app/keys");

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: api.keys.pathKey() });
}

/** Keys: one's own, and everybody's for administrators. */
export function KeysPage() {
  const { t } = useTranslation();
  const { login } = route.useRouteContext();
  const admin = login.user.role === "admin";
  const failureText = useFailureText();
  const pages = useKeyPages();
  const [editing, setEditing] = useState<Key | "new" | null>(null);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const [created, setCreated] = useState<{ key: Key; secret: string } | null>(null);
  const [revokedToo, setRevokedToo] = useState(false);
  const failed = (thrown: unknown): void => toastFailed(failureText(readFailure(thrown)));
  const toggle = useMutation(api.keys.update.mutationOptions({ onSuccess: readAgain, onError: failed }));
  const revoke = useMutation(
    api.keys.revoke.mutationOptions({
      onSuccess: () => {
        toastDone(t("keys.revokedToast", { name: revoking?.name ?? "" }));
        setRevoking(null);
        readAgain();
      },
      onError: failed,
    }),
  );
  const { mutate: update } = toggle;
  const columns = useMemo(
    () => keyColumns({ t, admin, onEdit: setEditing, onRevoke: setRevoking, onToggle: (key, enabled) => update({ id: key.id, enabled }) }),
    [t, admin, update],
  );
  const rows = useMemo(() => pages.rows.filter((key) => revokedToo || key.revokedAtMs === null), [pages.rows, revokedToo]);
  const hasRevoked = pages.rows.some((key) => key.revokedAtMs !== null);
  const button = (
    <Button variant="primary" onClick={() => setEditing("new")}>
      <Plus aria-hidden="true" />
      {t("keys.new")}
    </Button>
  );
  return (
    <Page
      title={t("keys.title")}
      state={<LiveIndicator />}
      lead={t("keys.lead")}
      actions={
        <>
          {hasRevoked && (
            <span className="mr-2 flex items-center gap-2 text-sm text-ink-2">
              <Switch checked={revokedToo} onChange={setRevokedToo} label={t("keys.showRevoked")} />
              <span aria-hidden="true">{t("keys.showRevoked")}</span>
            </span>
          )}
          {button}
        </>
      }
    >
      {pages.error && <FailureBox error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {pages.data && rows.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty icon={<KeyRound />} title={t("keys.emptyTitle")} text={t("keys.emptyText")}>
            {button}
          </Empty>
        </div>
      )}
      {rows.length > 0 && (
        <DataTable
          label={t("keys.table")}
          rows={rows}
          columns={columns}
          rowId={({ id }) => id}
          dim={(key) => keyStatus(key, serverNow()) !== "active"}
        />
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
        <KeyDialog
          keyRow={editing === "new" ? null : editing}
          me={login.user}
          admin={admin}
          onClose={() => setEditing(null)}
          onSaved={readAgain}
          onCreated={(result) => {
            setEditing(null);
            setCreated(result);
            readAgain();
          }}
        />
      )}
      {created && <CreatedKeyDialog secret={created.secret} baseUrl={login.baseUrl} onClose={() => setCreated(null)} />}
      <Confirm
        open={revoking !== null}
        onOpenChange={(open) => !open && setRevoking(null)}
        title={t("keys.revokeTitle", { name: revoking?.name ?? "" })}
        text={t("keys.revokeText")}
        action={t("keys.revoke")}
        busy={revoke.isPending}
        onConfirm={() => revoking && revoke.mutate({ id: revoking.id })}
      />
    </Page>
  );
}
