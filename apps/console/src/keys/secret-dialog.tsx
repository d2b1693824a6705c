import { useState } from "react";
import { formatDateTime } from "../format.ts";
import { serverNow } from "../live/server-clock.ts";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../ui/dialog.tsx";
import { SecretOnce } from "../ui/secret-once.tsx";
import { Snippets } from "../ui/snippets.tsx";
import type { Key } from "./key.ts";

/** A secret that was just created. */
export interface MadeSecret {
  key: Key;
  secret: string;
  /** Whether it replaces an earlier secret of the key. */
  rotated: boolean;
}

/** The only time that a secret is shown, so clicking outside does not close the dialog. */
export function SecretDialog({ made, baseUrl, onClose }: { made: MadeSecret; baseUrl: string; onClose(): void }) {
  const { t, language } = useTexts();
  const [copied, setCopied] = useState(false);
  const { key, secret, rotated } = made;
  const until = key.previousValidUntilMs ?? 0;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={rotated ? t("keys.rotatedTitle", { name: key.name }) : t("keys.createdTitle")}
      description={rotated ? t("keys.rotatedText") : t("keys.createdText")}
      width="max-w-2xl"
      dismissible={false}
    >
      <DialogBody>
        <SecretOnce secret={secret} onCopied={() => setCopied(true)} />
        {rotated && (
          <p className="text-sm text-ink-2">
            {until > serverNow() ? t("keys.overlapUntil", { time: formatDateTime(until, language) }) : t("keys.overlapEnded")}
          </p>
        )}
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
