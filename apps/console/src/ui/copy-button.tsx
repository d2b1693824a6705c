import { Check, Copy } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { useTexts } from "../text/i18n.ts";
import { Button, type ButtonProps } from "./button.tsx";
import { toastFailed } from "./toast.tsx";

interface CopyButtonProps extends Omit<ButtonProps, "onClick" | "value"> {
  value: string;
  /** What is copied, for the accessible name: "Copy Request ID". */
  what: string;
  /** Shows the word beside the icon. */
  labelled?: boolean;
  onCopied?(): void;
}

export function CopyButton({ value, what, labelled = false, onCopied, variant = "ghost", size, ...props }: CopyButtonProps) {
  const { t } = useTexts();
  const copy = useCopy();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_600);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? Check : Copy;
  return (
    <Button
      variant={variant}
      size={size ?? (labelled ? "sm" : "iconSm")}
      aria-label={copied ? t("common.copied") : t("common.copyOf", { what })}
      title={t("common.copyOf", { what })}
      onClick={() => {
        void copy(value).then((done) => {
          if (!done) return;
          setCopied(true);
          onCopied?.();
        });
      }}
      {...props}
    >
      <Icon aria-hidden="true" className={copied ? "text-ok" : undefined} />
      {labelled && (copied ? t("common.copied") : t("common.copy"))}
    </Button>
  );
}

/** Copies a text and returns whether it worked; shows a message if the clipboard is unavailable. */
export function useCopy(): (value: string) => Promise<boolean> {
  const { t } = useTexts();
  return useCallback(
    async (value) => {
      const done = await copyText(value).catch(() => false);
      if (!done) toastFailed(t("common.notCopied"));
      return done;
    },
    [t],
  );
}

/** Writes to the clipboard, even over plain http, where the modern API does not exist. */
async function copyText(value: string): Promise<boolean> {
  if (navigator.clipboard) return navigator.clipboard.writeText(value).then(() => true);
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = value;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  // Selecting the text took the focus and would leave it on the document: restore it to the dialog, menu or row.
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}
