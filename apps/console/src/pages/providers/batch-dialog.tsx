import { UpdateProvidersInput } from "@sluice/core/inputs/provider";
import { useState } from "react";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { type BatchValues, type Difference, differencesOf, noBatch } from "./batch-change.ts";
import { BatchPreview } from "./batch-preview.tsx";
import { useImpactText } from "./impact-text.tsx";

interface BatchDialogProps {
  providers: readonly ProviderLine[];
  busy: boolean;
  onApply(differences: readonly Difference[]): void;
  onClose(): void;
}

/** Applies one change to many providers, after a preview. */
export function BatchDialog({ providers, busy, onApply, onClose }: BatchDialogProps) {
  const { t } = useTexts();
  const [values, setValues] = useState<BatchValues>(noBatch);
  const set = (change: Partial<BatchValues>): void => setValues({ ...values, ...change });
  const differences = differencesOf(providers, values);
  const impact = useImpactText(values.enabled === "off" ? providers.filter(({ enabled }) => enabled).map(({ id }) => id) : []);
  const checked = UpdateProvidersInput.safeParse({ changes: differences.map(({ after }) => after) });
  const isWrong = (field: string): boolean => !checked.success && checked.error.issues.some((issue) => issue.path[2] === field);
  const bare = differences.find(({ after }) => after.groups?.length === 0);
  const groupError = bare ? t("providers.batch.lastGroup", { name: bare.provider.name }) : isWrong("groups") ? t("form.group") : undefined;
  const text = (field: "priority" | "weight" | "costMultiplier", label: string, message: string) => (
    <Field label={label} error={isWrong(field) ? message : undefined}>
      {(ids) => (
        <Input
          {...ids}
          inputMode={field === "costMultiplier" ? "decimal" : "numeric"}
          value={values[field]}
          placeholder={t("providers.batch.leave")}
          onChange={(event) => set({ [field]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("providers.batch.title", { count: providers.length })}
      width="max-w-2xl"
    >
      <form
        noValidate
        className="flex min-h-0 flex-1 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          if (checked.success) onApply(differences);
        }}
      >
        <DialogBody>
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t("providers.enabled")}>
              {(ids) => (
                <NativeSelect
                  {...ids}
                  value={values.enabled}
                  onChange={(event) => set({ enabled: event.target.value as BatchValues["enabled"] })}
                >
                  <option value="">{t("providers.batch.leave")}</option>
                  <option value="on">{t("providers.batch.enable")}</option>
                  <option value="off">{t("providers.batch.disable")}</option>
                </NativeSelect>
              )}
            </Field>
            {text("costMultiplier", t("providers.multiplier"), t("form.decimal"))}
            {text("priority", t("providers.priority"), t("form.whole"))}
            {text("weight", t("providers.weight"), t("form.whole"))}
            {(["addGroups", "removeGroups"] as const).map((field) => (
              <Field key={field} label={t(`providers.batch.${field}`)} error={groupError}>
                {(ids) => (
                  <Input {...ids} spellCheck={false} value={values[field]} onChange={(event) => set({ [field]: event.target.value })} />
                )}
              </Field>
            ))}
          </div>
          {impact && <p className="text-sm text-ink-2">{impact}</p>}
          <BatchPreview differences={differences} />
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy} disabled={!checked.success}>
            {differences.length === 0 ? t("common.save") : t("providers.batch.apply", { count: differences.length })}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
