import { ErrorRule, errorRuleActions } from "@sluice/core/inputs/error-rules";
import { dialectField } from "@sluice/core/inputs/provider";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import { useSaveErrorRules } from "./use-save-error-rules.ts";

interface RuleValues {
  name: string;
  statuses: string;
  body: string;
  providers: string;
  dialect: string;
  action: ErrorRule["action"];
  status: string;
  message: string;
}

interface ErrorRuleDialogProps {
  /** The one to be changed; null: a new one at the end. */
  rule: ErrorRule | null;
  rules: readonly ErrorRule[];
  onClose(): void;
}

const listed = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

function toInput({ statuses, providers, dialect, status, ...values }: RuleValues) {
  return {
    ...values,
    statuses: listed(statuses).map(Number),
    providers: listed(providers),
    dialects: dialect === "" ? [] : [dialect],
    status: status.trim() === "" ? null : Number(status),
  };
}

/** One rule: when it applies, and what is done then. */
export function ErrorRuleDialog({ rule, rules, onClose }: ErrorRuleDialogProps) {
  const { t } = useTranslation();
  const save = useSaveErrorRules();
  const others = rules.flatMap(({ name }) => (name === rule?.name ? [] : [name]));
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: ErrorRule.refine(({ name }) => !others.includes(name), { path: ["name"], message: "" }),
    defaults: {
      name: rule?.name ?? "",
      statuses: rule?.statuses.join(", ") ?? "",
      body: rule?.body ?? "",
      providers: rule?.providers.join(", ") ?? "",
      dialect: rule?.dialects[0] ?? "",
      action: rule?.action ?? "failover",
      status: rule?.status == null ? "" : String(rule.status),
      message: rule?.message ?? "",
    } as RuleValues,
    toInput,
    async submit(input) {
      await save((now) => (rule ? now.map((one) => (one.name === rule.name ? input : one)) : [...now, input]));
      toastDone(t("settings.saved"));
      onClose();
    },
  });
  const { register } = form;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={rule ? t("settings.rules.editTitle", { name: rule.name }) : t("settings.rules.newTitle")}
      description={t("settings.rules.lead")}
    >
      <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t("settings.rules.name")} error={errorOf("name")} className="sm:col-span-2">
              {(ids) => <Input {...ids} {...register("name")} />}
            </Field>
            <Field label={t("settings.rules.statuses")} hint={t("settings.rules.statusesHint")} error={errorOf("statuses")}>
              {(ids) => <Input {...ids} inputMode="numeric" placeholder="429, 500" {...register("statuses")} />}
            </Field>
            <Field label={t("settings.rules.dialect")} error={errorOf("dialect")}>
              {(ids) => (
                <NativeSelect {...ids} {...register("dialect")}>
                  <option value="">{t("settings.rules.anyDialect")}</option>
                  {dialectField.options.map((dialect) => (
                    <option key={dialect}>{dialect}</option>
                  ))}
                </NativeSelect>
              )}
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
          {failure && <FailureBox error={failure} />}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {t("common.save")}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
