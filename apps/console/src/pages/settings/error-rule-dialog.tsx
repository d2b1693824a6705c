import { ErrorRule, errorRuleActions } from "@sluice/core/inputs/error-rules";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { items, numberOrNull, useInputForm } from "../../ui/use-input-form.ts";
import { DialectsSelect } from "./dialects-select.tsx";
import { ruleField } from "./rule-field.ts";
import { uniquelyNamed, useSaveRules, withRule } from "./use-save-rules.ts";

interface RuleValues {
  name: string;
  statuses: string;
  body: string;
  providers: string;
  dialects: string;
  action: ErrorRule["action"];
  status: string;
  message: string;
}

interface ErrorRuleDialogProps {
  /** The rule to edit; null = a new one at the end. */
  rule: ErrorRule | null;
  rules: readonly ErrorRule[];
  onClose(): void;
}

function toInput({ statuses, providers, dialects, status, ...values }: RuleValues) {
  return {
    ...values,
    statuses: items(statuses).map(Number),
    providers: items(providers),
    dialects: items(dialects),
    status: numberOrNull(status),
  };
}

/** Creates or edits a rule: when it applies, and what it does. */
export function ErrorRuleDialog({ rule, rules, onClose }: ErrorRuleDialogProps) {
  const { t } = useTexts();
  const save = useSaveRules("upstream.errorRules");
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: uniquelyNamed(ErrorRule, rules, rule?.name),
    defaults: {
      name: rule?.name ?? "",
      statuses: rule?.statuses.join(", ") ?? "",
      body: rule?.body ?? "",
      providers: rule?.providers.join(", ") ?? "",
      dialects: rule?.dialects.join(",") ?? "",
      action: rule?.action ?? "failover",
      status: rule?.status == null ? "" : String(rule.status),
      message: rule?.message ?? "",
    } as RuleValues,
    fieldOf: ruleField,
    toInput,
    async submit(input) {
      await save({ was: rule, make: (now) => withRule(now, rule, input) });
      toastDone(t("settings.saved"));
      onClose();
    },
  });
  const { register } = form;
  return (
    <FormDialog
      title={rule ? t("settings.rules.editTitle", { name: rule.name }) : t("settings.rules.newTitle")}
      description={t("settings.rules.lead")}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("settings.rules.name")} error={errorOf("name")} className="sm:col-span-2">
          {(ids) => <Input {...ids} {...register("name")} />}
        </Field>
        <Field label={t("settings.rules.statuses")} hint={t("settings.rules.statusesHint")} error={errorOf("statuses")}>
          {(ids) => <Input {...ids} inputMode="numeric" placeholder="429, 500" {...register("statuses")} />}
        </Field>
        <Field label={t("settings.rules.dialect")} error={errorOf("dialects")}>
          {(ids) => <DialectsSelect {...ids} set={rule?.dialects} {...register("dialects")} />}
        </Field>
        <Field label={t("settings.rules.body")} hint={t("settings.rules.bodyHint")} error={errorOf("body")} className="sm:col-span-2">
          {(ids) => <Input {...ids} spellCheck={false} className="font-mono" {...register("body")} />}
        </Field>
        <Field
          label={t("settings.rules.providers")}
          hint={t("settings.rules.providersHint")}
          error={errorOf("providers")}
          className="sm:col-span-2"
        >
          {(ids) => <Input {...ids} spellCheck={false} {...register("providers")} />}
        </Field>
        <Field label={t("settings.rules.outcome")}>
          {(ids) => (
            <NativeSelect {...ids} {...register("action")}>
              {errorRuleActions.map((action) => (
                <option key={action} value={action}>
                  {t(`settings.rules.action.${action}`)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label={t("settings.rules.status")} hint={t("settings.rules.statusHint")} error={errorOf("status")}>
          {(ids) => <Input {...ids} inputMode="numeric" {...register("status")} />}
        </Field>
        <Field label={t("settings.rules.message")} error={errorOf("message")} className="sm:col-span-2">
          {(ids) => <Input {...ids} {...register("message")} />}
        </Field>
      </div>
    </FormDialog>
  );
}
