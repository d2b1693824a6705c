import { type OverrideKind, overrideKinds } from "@sluice/core/routing/provider-override";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client.ts";
import { formatSpan } from "../../format.ts";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useImpactText } from "./impact-text.tsx";
import { overrideNames } from "./override-banner.tsx";

const spans = [300, 900, 3_600, 14_400, 86_400];

/** Forces a provider open, drains it or ignores its breakers, with a duration and a note. */
export function OverrideDialog({ provider, onClose }: { provider: ProviderLine; onClose(): void }) {
  const { t, language } = useTexts();
  const [kind, setKind] = useState<OverrideKind>(provider.override?.kind ?? "open");
  const [forSeconds, setForSeconds] = useState<number | null>(900);
  const [note, setNote] = useState("");
  const impact = useImpactText([provider.id]);
  const apply = useMutation(
    api.providers.override.mutationOptions({
      onSuccess: () => {
        toastDone(t("providers.override.applied", { name: provider.name, what: t(`providers.override.${overrideNames[kind]}`) }));
        onClose();
      },
    }),
  );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("providers.override.title", { name: provider.name })}
      description={t("providers.override.lead")}
    >
      <form
        className="flex min-h-0 flex-1 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          apply.mutate({ id: provider.id, kind, forSeconds, note });
        }}
      >
        <DialogBody>
          <fieldset className="flex flex-col gap-1">
            <legend className="mb-1 text-sm font-medium">{t("providers.override.kind")}</legend>
            {overrideKinds.map((one) => (
              <label
                key={one}
                className="flex items-start gap-2.5 rounded-lg border border-line p-2.5 has-checked:border-accent has-checked:bg-selected"
              >
                <input
                  type="radio"
                  name="kind"
                  value={one}
                  checked={kind === one}
                  onChange={() => setKind(one)}
                  className="mt-0.5 size-4 accent-(--accent)"
                />
                <span className="text-sm">
                  <span className="block font-medium">{t(`providers.override.${one}`)}</span>
                  <span className="block text-xs text-ink-2">{t(`providers.override.${one}Text`)}</span>
                </span>
              </label>
            ))}
          </fieldset>
          {kind !== "closed" && impact && <p className="text-sm text-ink-2">{impact}</p>}
          <Field label={t("providers.override.for")}>
            {(ids) => (
              <NativeSelect
                {...ids}
                value={forSeconds ?? ""}
                onChange={(event) => setForSeconds(event.target.value === "" ? null : Number(event.target.value))}
              >
                {spans.map((seconds) => (
                  <option key={seconds} value={seconds}>
                    {formatSpan(seconds, language)}
                  </option>
                ))}
                <option value="">{t("providers.override.forever")}</option>
              </NativeSelect>
            )}
          </Field>
          <Field label={t("providers.note")} hint={t("providers.override.noteHint")} optional={t("common.optional")}>
            {(ids) => <Input {...ids} maxLength={300} value={note} onChange={(event) => setNote(event.target.value)} />}
          </Field>
          {apply.error && <FailureBox error={apply.error} />}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="primary" busy={apply.isPending}>
            {t("providers.override.apply")}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
