import { SaveSettingsInput, type SettingName, type Settings } from "@sluice/core/inputs/settings";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { api, client, type Outputs, queryClient } from "../../api/client.ts";
import { type Failure, readFailure } from "../../api/failure.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { DiffList } from "../../ui/diff-list.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { settingTitle, settingValue, settingValueText } from "./setting-text.ts";

interface ReviewDialogProps {
  settings: Settings;
  sources: Outputs["settings"]["sources"] | undefined;
  edits: Partial<Record<SettingName, string>>;
  /** The values in force when each setting was first edited. */
  began: Partial<Settings>;
  changed: readonly SettingName[];
  onClose(): void;
  onSaved(): void;
}

/** Shows the pending changes before they are saved. */
export function ReviewDialog({ settings, sources, edits, began, changed, onClose, onSaved }: ReviewDialogProps) {
  const { t } = useTexts();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const wantedOf = (name: SettingName): unknown => settingValue(name, edits[name] ?? "");
  const fromFile = changed.some((name) => sources?.[name]?.source === "config");
  const elsewhere = changed.filter((name) => began[name] !== undefined && began[name] !== settings[name]);

  async function save(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      const wanted = Object.fromEntries(changed.map((name) => [name, wantedOf(name)]));
      const expected = Object.fromEntries(changed.map((name) => [name, settings[name]]));
      await client.settings.update.mutate(SaveSettingsInput.parse({ ...wanted, expected }));
      toastDone(t("settings.saved"));
      onSaved();
    } catch (thrown) {
      const failed = readFailure(thrown);
      setFailure(failed);
      setBusy(false);
      // Loads the other person's save, even if its push was sent before this tab listened.
      if (failed.code === "conflict") void queryClient.invalidateQueries({ queryKey: api.settings.pathKey() });
    }
  }

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("settings.reviewTitle")} description={t("settings.reviewText")}>
      <DialogBody>
        <DiffList
          label={t("audit.changes")}
          differences={changed.map((name) => ({
            id: name,
            name: settingTitle(t, name),
            before: settingValueText(t, name, settings[name]),
            after: settingValueText(t, name, wantedOf(name)),
          }))}
        />
        {fromFile && <Warning text={t("settings.reviewConfig")} />}
        {elsewhere.map((name) => (
          <Warning
            key={name}
            text={t("settings.changedElsewhere", {
              name: settingTitle(t, name),
              before: settingValueText(t, name, began[name]),
              now: settingValueText(t, name, settings[name]),
            })}
          />
        ))}
        {failure?.code === "conflict" && <Warning text={t("settings.saveConflict")} />}
        {failure && failure.code !== "conflict" && <FailureBox error={failure} />}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button variant="primary" busy={busy} onClick={() => void save()}>
          {t("settings.saveAction", { count: changed.length })}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

function Warning({ text }: { text: string }) {
  return (
    <p role="status" className="flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2 text-sm">
      <TriangleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-warn" />
      {text}
    </p>
  );
}
