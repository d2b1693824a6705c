import { SetGroupInput } from "@sluice/core/inputs/group";
import { client } from "../../api/client.ts";
import { LimitFields } from "../../limits/limit-fields.tsx";
import { type LimitValues, limitsInput, limitValuesOf, type SetLimits } from "../../limits/limit-form.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

interface GroupValues extends LimitValues {
  name: string;
  costMultiplier: string;
}

interface GroupDialogProps {
  /** null = for a group named in the form. */
  group: ({ name: string; costMultiplier: string } & SetLimits) | null;
  onClose(): void;
}

/** Sets a group's cost multiplier and limits. */
export function GroupDialog({ group, onClose }: GroupDialogProps) {
  const { t } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: SetGroupInput,
    defaults: { name: group?.name ?? "", costMultiplier: group?.costMultiplier ?? "1", ...limitValuesOf(group) } as GroupValues,
    toInput: ({ name, costMultiplier, ...limits }: GroupValues) => ({
      name: name.trim(),
      costMultiplier: costMultiplier.trim() || "1",
      ...limitsInput(limits),
    }),
    async submit(input) {
      await client.groups.set.mutate(input);
      toastDone(t("common.saved"));
      onClose();
    },
  });
  return (
    <FormDialog
      title={group ? t("groups.editTitle", { name: group.name }) : t("groups.newTitle")}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("groups.name")} error={errorOf("name")}>
          {(ids) => (
            <Input
              {...ids}
              spellCheck={false}
              readOnly={group !== null}
              className="font-mono read-only:bg-sunken"
              {...form.register("name")}
            />
          )}
        </Field>
        <Field label={t("groups.multiplier")} hint={t("groups.multiplierHint")} error={errorOf("costMultiplier")}>
          {(ids) => <Input {...ids} inputMode="decimal" {...form.register("costMultiplier")} />}
        </Field>
      </div>
      <LimitFields register={form.register} errorOf={errorOf} stored={group !== null} />
    </FormDialog>
  );
}
