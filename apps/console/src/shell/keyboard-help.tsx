import { useStore } from "../live/store.ts";
import { useTexts } from "../text/i18n.ts";
import { Dialog, DialogBody } from "../ui/dialog.tsx";
import { Switch } from "../ui/switch.tsx";
import { setSingleKeys, singleKeys } from "./keys.ts";

const keys = [
  [["J", "↓"], "down"],
  [["K", "↑"], "up"],
  [["Enter"], "open"],
  [["Esc"], "close"],
  [["Space"], "pause"],
  [["G"], "newest"],
  [["←", "→"], "cells"],
  [["F"], "filter"],
  [["/"], "query"],
  [["[", "]"], "range"],
  [["C"], "copy"],
  [["Ctrl K", "⌘ K"], "palette"],
  [["?"], "help"],
] as const;

/** The keyboard shortcuts, and a switch for those of a single key. */
export function KeyboardHelp({ onClose }: { onClose(): void }) {
  const { t } = useTexts();
  const on = useStore(singleKeys);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("keyboard.title")} width="max-w-md">
      <DialogBody className="pb-5">
        <dl className="divide-y divide-line">
          {keys.map(([caps, name]) => (
            <div key={name} className="flex h-9 items-center justify-between text-sm">
              <dt className="text-ink-2">{t(`keyboard.${name}`)}</dt>
              <dd className="flex gap-1">
                {caps.map((cap) => (
                  <kbd
                    key={cap}
                    className="min-w-6 rounded border border-line-strong bg-sunken px-1.5 py-0.5 text-center font-sans text-xs text-ink"
                  >
                    {cap}
                  </kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <div className="flex items-center justify-between text-sm">
          <span>{t("keyboard.enabled")}</span>
          <Switch checked={on} onChange={setSingleKeys} label={t("keyboard.enabled")} />
        </div>
      </DialogBody>
    </Dialog>
  );
}
