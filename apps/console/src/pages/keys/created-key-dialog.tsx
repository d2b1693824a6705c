import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { SecretOnce } from "../../ui/secret-once.tsx";
import { Snippets } from "../../ui/snippets.tsx";

/** The one moment at which a key can be read. Pressing outside does not close it. */
export function CreatedKeyDialog({ secret, baseUrl, onClose }: { secret: string; baseUrl: string; onClose(): void }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("keys.createdTitle")}
      description={t("keys.createdText")}
      width="max-w-2xl"
      dismissible={false}
    >
      <DialogBody>
        <SecretOnce secret={secret} onCopied={() => setCopied(true)} />
        <h3 className="text-sm font-semibold">{t("keys.snippets")}</h3>
        <Snippets baseUrl={baseUrl} secret={secret} />
      </DialogBody>
      <DialogFooter>
        <Button variant={copied ? "primary" : "outline"} onClick={onClose}>
          {t("keys.stored")}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
