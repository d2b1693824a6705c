import { Ban } from "lucide-react";
import type { ReactNode } from "react";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog, DialogBody } from "../../ui/dialog.tsx";
import { DiffList } from "../../ui/diff-list.tsx";
import { type AuditEntry, actorText, changesOf, targetText } from "./audit-text.ts";
import type { AuditSearch } from "./search.ts";

interface AuditDialogProps {
  entry: AuditEntry;
  onFilter(search: AuditSearch): void;
  onClose(): void;
}

/** One entry in full: who, when, from where, and every field before and after. */
export function AuditDialog({ entry, onFilter, onClose }: AuditDialogProps) {
  const { t, language } = useTexts();
  const { changes, same } = changesOf(entry);
  const who = actorText(t, entry.actor);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={<span className="font-mono text-base">{entry.action}</span>}
      description={`${who} · ${formatDateTime(entry.atMs, language)}`}
      width="max-w-2xl"
    >
      <DialogBody className="pb-5">
        {entry.outcome === "denied" && (
          <p className="flex items-center gap-2 rounded-lg bg-bad-soft px-3 py-2 text-sm">
            <Ban aria-hidden="true" className="size-4 shrink-0 text-bad" />
            {t("audit.deniedText")}
          </p>
        )}
        <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-6 gap-y-1.5 text-sm">
          <Fact name={t("audit.actor")}>{entry.actor.email && entry.actor.email !== who ? `${who} (${entry.actor.email})` : who}</Fact>
          {entry.targetId && (
            <Fact name={t("audit.target")}>
              {targetText(entry)}{" "}
              {entry.targetKind !== "settings" && <span className="font-mono text-xs text-ink-3">{entry.targetId}</span>}
            </Fact>
          )}
          {entry.ip && <Fact name={t("audit.ip")}>{entry.ip}</Fact>}
          {entry.requestId && (
            <Fact name={t("common.requestId")}>
              <Copied value={entry.requestId} what={t("common.requestId")} />
            </Fact>
          )}
          <Fact name={t("audit.id")}>
            <Copied value={entry.id} what={t("audit.id")} />
          </Fact>
        </dl>
        {changes.length > 0 && <DiffList label={t("audit.changes")} differences={changes} />}
        {changes.length === 0 && entry.outcome === "done" && <p className="text-sm text-ink-2">{t("audit.noChanges")}</p>}
        {same > 0 && <p className="text-xs text-ink-3">{t("audit.unchanged", { count: same })}</p>}
        <div className="flex flex-wrap gap-2">
          {(entry.actor.id || entry.actor.kind !== "user") && entry.actor.kind !== "anonymous" && (
            <Button size="sm" onClick={() => onFilter({ actor: entry.actor.id || entry.actor.kind })}>
              {t("audit.filterActor", { name: who })}
            </Button>
          )}
          {entry.targetId && (
            <Button size="sm" onClick={() => onFilter({ kind: entry.targetKind, target: entry.targetId })}>
              {t("audit.filterTarget")}
            </Button>
          )}
        </div>
      </DialogBody>
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

function Copied({ value, what }: { value: string; what: string }) {
  return (
    <span className="flex items-center gap-1">
      <span className="truncate font-mono text-xs">{value}</span>
      <CopyButton value={value} what={what} />
    </span>
  );
}
