import { MOST_PRICE_FILE } from "@sluice/core/inputs/price";
import { FileUp } from "lucide-react";
import { useRef, useState } from "react";
import { client, type Outputs } from "../../api/client.ts";
import { type Failure, readFailure } from "../../api/failure.ts";
import { formatBytes } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Textarea } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { Switch } from "../../ui/switch.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { ImportPreview } from "./import-preview.tsx";

type Preview = Outputs["prices"]["import"];

/** Imports a price table in LiteLLM's format: choose or paste, preview, apply. */
export function ImportDialog({ onClose }: { onClose(): void }) {
  const { t, language } = useTexts();
  const fileInput = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<{ name: string; text: string } | null>(null);
  const [pasted, setPasted] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [replaceOwn, setReplaceOwn] = useState(false);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const text = file?.text ?? pasted;
  const count = preview ? preview.changed.length + preview.created.length : 0;

  async function choose(chosen: File | undefined): Promise<void> {
    setProblem(null);
    setFailure(null);
    if (!chosen) return;
    if (chosen.size > MOST_PRICE_FILE) return setProblem(t("prices.tooLarge"));
    try {
      setFile({ name: chosen.name, text: new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer()) });
    } catch {
      setProblem(t("prices.unreadable"));
    }
  }

  async function send(apply: boolean): Promise<void> {
    if (text.trim() === "") return setProblem(t("prices.importEmpty"));
    if (text.length > MOST_PRICE_FILE) return setProblem(t("prices.tooLarge"));
    setBusy(true);
    setFailure(null);
    try {
      const answer = await client.prices.import.mutate({ text, replaceOwn, apply });
      if (apply) {
        toastDone(t("prices.imported"));
        return onClose();
      }
      setPreview(answer);
    } catch (thrown) {
      setFailure(readFailure(thrown));
    }
    setBusy(false);
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("prices.importTitle")}
      description={t("prices.importText")}
      width="max-w-2xl"
    >
      <DialogBody>
        {preview ? (
          <ImportPreview preview={preview} />
        ) : (
          <>
            <div className="flex flex-wrap items-center gap-3">
              <input
                ref={fileInput}
                type="file"
                accept=".json,application/json"
                aria-label={t("prices.importFile")}
                className="sr-only"
                tabIndex={-1}
                onChange={(event) => void choose(event.target.files?.[0])}
              />
              <Button onClick={() => fileInput.current?.click()}>
                <FileUp aria-hidden="true" />
                {t("prices.chooseFile")}
              </Button>
              {file && (
                <span className="min-w-0 text-sm">
                  {file.name} <span className="text-xs text-ink-3">{formatBytes(file.text.length, language)}</span>
                </span>
              )}
            </div>
            <Field label={t("prices.importPaste")} error={problem ?? undefined}>
              {(ids) => (
                <Textarea
                  {...ids}
                  rows={7}
                  spellCheck={false}
                  className="font-mono text-xs"
                  value={pasted}
                  onChange={(event) => {
                    setFile(null);
                    setProblem(null);
                    setPasted(event.target.value);
                  }}
                />
              )}
            </Field>
            <div className="flex items-start gap-3">
              <Switch checked={replaceOwn} onChange={setReplaceOwn} label={t("prices.replaceOwn")} />
              <div className="text-sm">
                <p aria-hidden="true">{t("prices.replaceOwn")}</p>
                <p className="text-xs text-ink-3">{t("prices.replaceOwnHint")}</p>
              </div>
            </div>
          </>
        )}
        {failure && <FailureBox error={failure} />}
      </DialogBody>
      <DialogFooter>
        <Button onClick={preview ? () => setPreview(null) : onClose}>{t("common.cancel")}</Button>
        {preview ? (
          <Button variant="primary" busy={busy} disabled={count === 0} onClick={() => void send(true)}>
            {count === 0 ? t("prices.nothingToApply") : t("prices.apply", { count })}
          </Button>
        ) : (
          <Button variant="primary" busy={busy} onClick={() => void send(false)}>
            {t("prices.preview")}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
