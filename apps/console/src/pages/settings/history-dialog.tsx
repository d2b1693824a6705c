import type { SettingName, Settings } from "@sluice/core/inputs/settings";
import { useInfiniteQuery } from "@tanstack/react-query";
import { History, Undo2 } from "lucide-react";
import { useState } from "react";
import { api, client, type Outputs } from "../../api/client.ts";
import { type Failure, readFailure } from "../../api/failure.ts";
import { formatDateTime } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { type Difference, DiffList } from "../../ui/diff-list.tsx";
import { LoadMore } from "../../ui/load-more.tsx";
import { Empty, FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { actorText } from "../audit/audit-text.ts";
import { settingNames, settingTitle, settingValueText } from "./setting-text.ts";

type Entry = Outputs["settings"]["history"]["items"][number];

/** The list of saves, or the one to be undone. */
export type HistoryView = Entry | "list";

interface HistoryDialogProps {
  view: HistoryView;
  settings: Settings;
  onView(view: HistoryView): void;
  onClose(): void;
}

/** Every save of settings, each with a roll-back to the state before it. */
export function HistoryDialog({ view, settings, onView, onClose }: HistoryDialogProps) {
  const { t, language } = useTexts();
  const pages = useInfiniteQuery({
    queryKey: [...api.settings.history.queryKey(), "pages"],
    queryFn: ({ pageParam }) => client.settings.history.query({ cursor: pageParam, limit: 20 }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor, hasMore }) => (hasMore ? nextCursor : null),
  });
  const entries = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  if (view !== "list") {
    const undone = entries.slice(0, entries.findIndex(({ id }) => id === view.id) + 1);
    return <RollBackDialog entry={view} undone={undone} settings={settings} onClose={onClose} onBack={() => onView("list")} />;
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("settings.historyTitle")}
      description={t("settings.historyText")}
      width="max-w-2xl"
    >
      <DialogBody className="pb-5">
        {pages.error && <FailureBox error={pages.error} onRetry={() => void pages.refetch()} />}
        {pages.isPending && <SkeletonRows rows={4} />}
        {pages.data && entries.length === 0 && <Empty icon={<History />} title={t("settings.historyEmpty")} text="" />}
        {entries.length > 0 && (
          <ol className="flex flex-col gap-5">
            {entries.map((entry) => (
              <li key={entry.id} className="flex flex-col gap-2">
                <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
                  <p id={`save-${entry.id}`} className="min-w-0 text-sm">
                    <span className="font-medium">{actorText(t, entry.actor)}</span>{" "}
                    <time dateTime={new Date(entry.atMs).toISOString()} className="text-xs text-ink-3">
                      {formatDateTime(entry.atMs, language)}
                    </time>{" "}
                    {entry.action === "settings.roll-back" && <Badge tone="idle">{t("settings.rollBackMark")}</Badge>}
                  </p>
                  <Button size="sm" aria-describedby={`save-${entry.id}`} onClick={() => onView(entry)}>
                    <Undo2 aria-hidden="true" />
                    {t("settings.rollBack")}
                  </Button>
                </div>
                <DiffList label={t("audit.changes")} differences={differences(t, entry.before ?? {}, entry.after ?? {})} />
              </li>
            ))}
          </ol>
        )}
        <LoadMore pages={pages} />
      </DialogBody>
    </Dialog>
  );
}

interface RollBackDialogProps {
  entry: Entry;
  /** This save and all later ones, newest first. */
  undone: readonly Entry[];
  settings: Settings;
  onBack(): void;
  onClose(): void;
}

/** Shows what a roll-back would change now. */
function RollBackDialog({ entry, undone, settings, onBack, onClose }: RollBackDialogProps) {
  const { t, language } = useTexts();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const target: Record<string, unknown> = Object.assign({}, ...undone.map(({ before }) => before ?? {}));
  const now = Object.fromEntries(Object.keys(target).map((name) => [name, settings[name as SettingName]]));
  const changes = differences(t, now, target);

  async function rollBack(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      await client.settings.rollBack.mutate({ id: entry.id });
      toastDone(t("settings.rolledBack"));
      onClose();
    } catch (thrown) {
      setFailure(readFailure(thrown));
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("settings.rollBackTitle")}
      description={t("settings.rollBackTo", { time: formatDateTime(entry.atMs, language) })}
    >
      <DialogBody>
        {changes.length > 0 ? (
          <DiffList label={t("audit.changes")} differences={changes} />
        ) : (
          <p className="text-sm text-ink-2">{t("settings.rollBackNone")}</p>
        )}
        <p className="text-xs text-ink-3">{t("settings.reviewText")}</p>
        {failure && <FailureBox error={failure} />}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onBack}>{t("common.cancel")}</Button>
        <Button variant="primary" busy={busy} disabled={changes.length === 0} onClick={() => void rollBack()}>
          {t("settings.rollBack")}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

function differences(t: Parameters<typeof settingTitle>[0], before: Record<string, unknown>, after: Record<string, unknown>): Difference[] {
  return Object.keys(after)
    .filter((name) => before[name] !== after[name])
    .map((name) => {
      // Settings of another version have no label here.
      const known = settingNames.find((each) => each === name);
      const text = (value: unknown): string => (known ? settingValueText(t, known, value) : String(value));
      return { id: name, name: known ? settingTitle(t, known) : name, before: text(before[name]), after: text(after[name]) };
    });
}
