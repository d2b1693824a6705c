import type { ProviderLine } from "../../providers/provider.ts";
import { ProviderTest } from "../../providers/provider-test.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";

/** Connection test of a stored provider. */
export function TestDialog({ provider, onClose }: { provider: ProviderLine; onClose(): void }) {
  const { t } = useTexts();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("providers.testTitle", { name: provider.name })}>
      <DialogBody>
        <ProviderTest input={{ id: provider.id }} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.close")}</Button>
      </DialogFooter>
    </Dialog>
  );
}
