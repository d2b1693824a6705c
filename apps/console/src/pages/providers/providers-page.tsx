import { useMutation, useQuery } from "@tanstack/react-query";
import { Plus, Server } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Outputs, queryClient } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { covered, listen } from "../../live/hub.ts";
import { createProviderHealth } from "../../live/provider-health.ts";
import { useStore } from "../../live/store.ts";
import type { Provider } from "../../providers/provider.ts";
import { LiveIndicator } from "../../shell/live-indicator.tsx";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { Page } from "../../ui/page.tsx";
import { Empty, FailureBox, SkeletonRows, useFailureText } from "../../ui/states.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import { providerColumns } from "./provider-columns.tsx";
import { ProviderDialog } from "./provider-dialog.tsx";

const options = api.providers.bootstrap.queryOptions();
const board = createProviderHealth();

function readAgain(): void {
  void queryClient.invalidateQueries({ queryKey: options.queryKey });
}

function loadBoard(answer: Outputs["providers"]["bootstrap"]): void {
  board.load(answer.health);
  void covered(answer.busId).then((whole) => whole || readAgain());
}

// Figures arrive by events for as long as the document lives; the bootstrap call is where they start from.
listen({ events: board.push });

/** Upstream accounts: one call, then everything that moves is pushed. */
export function ProvidersPage() {
  const { t } = useTranslation();
  const failureText = useFailureText();
  const { data, error, refetch } = useQuery(options);
  const health = useStore(board);
  const [editing, setEditing] = useState<Provider | "new" | null>(null);
  const [deleting, setDeleting] = useState<Provider | null>(null);
  const failed = (thrown: unknown): void => toastFailed(failureText(readFailure(thrown)));
  const toggle = useMutation(
    api.providers.update.mutationOptions({
      onSuccess: (provider) => {
        readAgain();
        toastDone(t(provider.enabled ? "providers.enabledToast" : "providers.disabledToast", { name: provider.name }), {
          label: t("common.undo"),
          run: () => toggle.mutate({ id: provider.id, enabled: !provider.enabled }),
        });
      },
      onError: failed,
    }),
  );
  const remove = useMutation(
    api.providers.delete.mutationOptions({
      onSuccess: () => {
        toastDone(t("providers.deleted", { name: deleting?.name ?? "" }));
        setDeleting(null);
        readAgain();
      },
      onError: failed,
    }),
  );

  useAnswer(data, loadBoard);

  const { mutate: setEnabled } = toggle;
  const columns = useMemo(
    () =>
      providerColumns({
        t,
        onEdit: setEditing,
        onDelete: setDeleting,
        onToggle: (provider, enabled) => setEnabled({ id: provider.id, enabled }),
      }),
    [t, setEnabled],
  );
  const rows = useMemo(() => (data?.providers ?? []).map((provider) => ({ provider, health: health.get(provider.id) })), [data, health]);

  return (
    <Page
      title={t("providers.title")}
      state={<LiveIndicator />}
      lead={t("providers.lead")}
      actions={
        <Button variant="primary" onClick={() => setEditing("new")}>
          <Plus aria-hidden="true" />
          {t("providers.new")}
        </Button>
      }
    >
      {error && <FailureBox error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows className="rounded-xl border border-line bg-surface" />}
      {data && rows.length === 0 && (
        <div className="rounded-xl border border-line bg-surface">
          <Empty icon={<Server />} title={t("providers.emptyTitle")} text={t("providers.emptyText")}>
            <Button variant="primary" onClick={() => setEditing("new")}>
              {t("providers.new")}
            </Button>
          </Empty>
        </div>
      )}
      {rows.length > 0 && (
        <DataTable
          label={t("providers.table")}
          rows={rows}
          columns={columns}
          rowId={({ provider }) => provider.id}
          dim={({ provider }) => !provider.enabled}
        />
      )}
      {editing && <ProviderDialog provider={editing === "new" ? null : editing} onClose={() => setEditing(null)} onSaved={readAgain} />}
      <Confirm
        open={deleting !== null}
        onOpenChange={(open) => !open && setDeleting(null)}
        title={t("providers.deleteTitle", { name: deleting?.name ?? "" })}
        text={t("providers.deleteText")}
        action={t("common.delete")}
        busy={remove.isPending}
        onConfirm={() => deleting && remove.mutate({ id: deleting.id })}
      />
    </Page>
  );
}
