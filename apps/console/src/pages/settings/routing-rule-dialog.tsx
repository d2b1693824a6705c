import { RoutingRule } from "@sluice/core/inputs/routing-rules";
import { useNames } from "../../api/names.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect, Textarea } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import { DialectsSelect } from "./dialects-select.tsx";
import { type RoutingRuleValues, toInput, toValues } from "./routing-rule-form.ts";
import { ruleField } from "./rule-field.ts";
import { uniquelyNamed, useSaveRules, withRule } from "./use-save-rules.ts";

interface RoutingRuleDialogProps {
  /** The rule to edit; null = a new one at the end. */
  rule: RoutingRule | null;
  rules: readonly RoutingRule[];
  onClose(): void;
}

/** Creates or edits a rule: what it applies to, and where that goes. */
export function RoutingRuleDialog({ rule, rules, onClose }: RoutingRuleDialogProps) {
  const { t } = useTexts();
  const { list, user } = useNames();
  const save = useSaveRules("routing.rules");
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: uniquelyNamed(RoutingRule, rules, rule?.name),
    defaults: toValues(rule) as RoutingRuleValues,
    fieldOf: ruleField,
    toInput: (values: RoutingRuleValues) => ({ ...toInput(values), enabled: rule?.enabled ?? true }),
    async submit(input) {
      await save({ was: rule, make: (now) => withRule(now, rule, input) });
      toastDone(t("settings.saved"));
      onClose();
    },
  });
  const { register } = form;
  // Values that another tool may have set remain an option: several keys, or a deleted provider.
  const several = (rule?.keys.length ?? 0) > 1 ? rule?.keys : undefined;
  const providers = [...new Set([...list.providers.map(({ name }) => name), ...(rule?.provider ? [rule.provider] : [])])];
  const mono = { spellCheck: false, className: "font-mono text-xs" } as const;
  return (
    <FormDialog
      title={rule ? t("settings.routes.editTitle", { name: rule.name }) : t("settings.routes.newTitle")}
      description={t("settings.routes.lead")}
      width="max-w-2xl"
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("settings.rules.name")} error={errorOf("name")} className="sm:col-span-2">
          {(ids) => <Input {...ids} {...register("name")} />}
        </Field>
        <Field label={t("settings.routes.models")} hint={t("settings.routes.patternsHint")} error={errorOf("models")}>
          {(ids) => <Textarea {...ids} {...mono} rows={2} {...register("models")} />}
        </Field>
        <Field label={t("settings.routes.headers")} hint={t("settings.routes.headersHint")} error={errorOf("headers")}>
          {(ids) => <Textarea {...ids} {...mono} rows={2} {...register("headers")} />}
        </Field>
        <Field label={t("settings.routes.key")} error={errorOf("keys")}>
          {(ids) => (
            <NativeSelect {...ids} {...register("keys")}>
              <option value="">{t("settings.routes.any")}</option>
              {several && <option value={several.join(",")}>{t("settings.routes.keyCount", { count: several.length })}</option>}
              {list.keys.map(({ id, name, userId }) => (
                <option key={id} value={id}>
                  {name} · {user(userId)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label={t("settings.rules.dialect")} error={errorOf("dialects")}>
          {(ids) => <DialectsSelect {...ids} set={rule?.dialects} {...register("dialects")} />}
        </Field>
        <Field label={t("settings.routes.users")} hint={t("settings.routes.usersHint")} error={errorOf("users")} className="sm:col-span-2">
          {(ids) => <Input {...ids} spellCheck={false} {...register("users")} />}
        </Field>
        <Field label={t("settings.routes.paths")} hint={t("settings.routes.patternsHint")} error={errorOf("paths")}>
          {(ids) => <Textarea {...ids} {...mono} rows={2} {...register("paths")} />}
        </Field>
        <Field label={t("providers.options.windows")} hint={t("providers.options.windowsHint")} error={errorOf("schedule")}>
          {(ids) => <Textarea {...ids} {...mono} rows={2} {...register("schedule")} />}
        </Field>
        <Field label={t("settings.routes.bodyBytesMin")} error={errorOf("bodyBytesMin")}>
          {(ids) => <Input {...ids} inputMode="numeric" {...register("bodyBytesMin")} />}
        </Field>
        <Field label={t("settings.routes.bodyBytesMax")} error={errorOf("bodyBytesMax")}>
          {(ids) => <Input {...ids} inputMode="numeric" {...register("bodyBytesMax")} />}
        </Field>
        <Field label={t("settings.routes.percent")} hint={t("settings.routes.percentHint")} error={errorOf("percent")}>
          {(ids) => <Input {...ids} inputMode="decimal" {...register("percent")} />}
        </Field>
        <Field label={t("providers.options.zone")}>{(ids) => <Input {...ids} spellCheck={false} {...register("zone")} />}</Field>
        <Field
          label={t("settings.routes.provider")}
          hint={t("settings.routes.providerHint")}
          error={errorOf("provider") && t("settings.routes.unsaid")}
        >
          {(ids) => (
            <NativeSelect {...ids} {...register("provider")}>
              <option value="">{t("settings.routes.any")}</option>
              {providers.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label={t("settings.routes.group")} hint={t("settings.routes.groupHint")} error={errorOf("group")}>
          {(ids) => <Input {...ids} spellCheck={false} {...register("group")} />}
        </Field>
        <Field label={t("settings.routes.model")} hint={t("settings.routes.modelHint")} error={errorOf("model")} className="sm:col-span-2">
          {(ids) => <Input {...ids} {...mono} {...register("model")} />}
        </Field>
      </div>
    </FormDialog>
  );
}
