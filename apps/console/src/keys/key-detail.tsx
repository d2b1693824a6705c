import { serverNow } from "../live/server-clock.ts";
import { PolicyList } from "../policies/policy-list.tsx";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../ui/dialog.tsx";
import { Snippets } from "../ui/snippets.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { CheckPanel } from "./check-panel.tsx";
import { type Key, keyStatus } from "./key.ts";
import { KeyPreview, KeyStatusBadge } from "./key-cells.tsx";
import { LimitsPanel } from "./limits-panel.tsx";

/** Placeholder for the secret, which is no longer known. */
const PLACEHOLDER = "YOUR_SLUICE_KEY";

/** One key: its limits and their use, a check whether it can call a model, and how to configure clients. */
export function KeyDetail({ row, baseUrl, onClose }: { row: Key; baseUrl: string; onClose(): void }) {
  const { t } = useTexts();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={row.name}
      description={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <KeyStatusBadge row={row} />
          <KeyPreview row={row} />
          {row.owner && <span className="truncate">{row.owner.name}</span>}
        </span>
      }
      width="max-w-2xl"
    >
      <DialogBody className="min-h-84">
        <Tabs
          label={row.name}
          tabs={[
            {
              value: "limits",
              label: t("keys.tab.limits"),
              content: (
                <>
                  <LimitsPanel row={row} />
                  <PolicyList policies={row.policies} isUsable={keyStatus(row, serverNow()) === "active"} />
                </>
              ),
            },
            { value: "check", label: t("keys.tab.check"), content: <CheckPanel keyId={row.id} /> },
            {
              value: "connect",
              label: t("keys.tab.connect"),
              content: (
                <div className="flex flex-col gap-3">
                  <p className="text-sm text-ink-2">{t("keys.placeholder", { placeholder: PLACEHOLDER })}</p>
                  <Snippets baseUrl={baseUrl} secret={PLACEHOLDER} />
                </div>
              ),
            },
          ]}
        />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogFooter>
    </Dialog>
  );
}
