import { useMutation, useQuery } from "@tanstack/react-query";
import { Layers, Pencil, Plus, Undo2 } from "lucide-react";
import { api, client, type Outputs } from "../../api/client.ts";
import { limitsInShort } from "../../limits/limits-text.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm, Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useOpened } from "../../ui/use-opened.ts";
import { useToastFailure } from "../../ui/use-toast-failure.ts";
import { GroupDialog } from "./group-dialog.tsx";

export type Group = Outputs["groups"]["list"][number];

/** All groups with their members, cost multipliers and limits. */
export function GroupsDialog({ onClose }: { onClose(): void }) {
  const { t } = useTexts();
  const toastFailure = useToastFailure();
  const { data, error, refetch } = useQuery(api.groups.list.queryOptions());
  const editing = useOpened<Group | null>();
  const clearing = useOpened<Group>();
  const clear = useMutation({
    mutationFn: ({ name }: Group) => client.groups.delete.mutate({ name }),
    onSuccess: (_, { name }) => toastDone(t("groups.clearedToast", { name })),
    onError: toastFailure,
  });
  if (editing.opened) return <GroupDialog group={editing.opened.for} onClose={editing.close} />;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("groups.title")} description={t("groups.lead")} width="max-w-2xl">
      <DialogBody className="min-h-64">
        {error ? <FailureBox error={error} onRetry={() => void refetch()} /> : null}
        {!data && !error && <SkeletonRows rows={3} />}
        {data?.length === 0 && <Empty icon={<Layers />} title={t("groups.emptyTitle")} text={t("groups.emptyText")} />}
        {data && data.length > 0 && (
          <ul aria-label={t("groups.table")} className="divide-y divide-line rounded-lg border border-line">
            {data.map((group) => (
              <GroupRow key={group.name} group={group} onEdit={() => editing.open(group)} onClear={() => clearing.open(group)} />
            ))}
          </ul>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.close")}</Button>
        <Button variant="primary" onClick={() => editing.open(null)}>
          <Plus aria-hidden="true" />
          {t("groups.new")}
        </Button>
      </DialogFooter>
      <Confirm
        open={clearing.opened !== null}
        onOpenChange={(open) => !open && clearing.close()}
        title={t("groups.clearTitle", { name: clearing.opened?.for.name ?? "" })}
        text={t("groups.clearText")}
        action={t("groups.clearAction")}
        busy={clear.isPending}
        onConfirm={() => clearing.opened && clear.mutate(clearing.opened.for, { onSuccess: clearing.close })}
      />
    </Dialog>
  );
}

function GroupRow({ group, onEdit, onClear }: { group: Group; onEdit(): void; onClear(): void }) {
  const { t, language } = useTexts();
  const limits = limitsInShort(t, group, language);
  const facts = [
    `${t("groups.keys")} ${group.keys}`,
    `${t("groups.providers")} ${group.providers}`,
    group.costMultiplier === "1" ? "" : `× ${group.costMultiplier}`,
    limits,
  ].filter(Boolean);
  return (
    <li className="flex items-center gap-3 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="truncate font-mono text-sm font-medium">{group.name}</p>
        <p className="text-xs text-ink-3">{facts.join(" · ")}</p>
      </div>
      {(limits !== "" || group.costMultiplier !== "1") && (
        <Button variant="ghost" size="iconSm" aria-label={t("groups.clear", { name: group.name })} onClick={onClear}>
          <Undo2 aria-hidden="true" />
        </Button>
      )}
      <Button variant="ghost" size="iconSm" aria-label={t("groups.edit", { name: group.name })} onClick={onEdit}>
        <Pencil aria-hidden="true" />
      </Button>
    </li>
  );
}
