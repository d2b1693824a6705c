import { useTexts } from "../text/i18n.ts";
import { CopyButton } from "./copy-button.tsx";

/** A secret in plain text, with a copy button. */
export function SecretOnce({ secret, onCopied }: { secret: string; onCopied?(): void }) {
  const { t } = useTexts();
  return (
    <div className="flex items-center gap-2 rounded-lg border border-ok/40 bg-ok-soft py-1.5 pr-1.5 pl-3">
      <input
        readOnly
        value={secret}
        aria-label={t("keys.secretLabel")}
        onFocus={(event) => event.currentTarget.select()}
        className="h-7 min-w-0 flex-1 bg-transparent font-mono text-sm text-ink"
      />
      <CopyButton value={secret} what={t("keys.key")} labelled variant="outline" {...(onCopied ? { onCopied } : {})} />
    </div>
  );
}
