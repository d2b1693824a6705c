import { alertKindFacts, alertKinds, alertSeverities } from "@sluice/core/alerts/alert-kinds";
import { CreateAlertRuleInput } from "@sluice/core/inputs/alert";
import { client } from "../../api/client.ts";
import { type NameLookup, useNames } from "../../api/names.ts";
import { formatSpan } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect, Textarea } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import type { Channel, Rule } from "./alert-words.ts";
import { type RuleValues, toRuleInput, toRuleValues } from "./rule-form.ts";

const windows = [5, 15, 30, 60, 360, 1_440, 10_080, 43_200];

interface RuleDialogProps {
  /** The rule to edit; null = a new one. */
  rule: Rule | null;
  channels: readonly Channel[];
  onClose(): void;
}

/** Creates or edits a rule: what it watches, its condition, and who is notified. */
export function RuleDialog({ rule, channels, onClose }: RuleDialogProps) {
  const { t, language } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: CreateAlertRuleInput,
    defaults: toRuleValues(rule) as RuleValues,
    fieldOf: (field) => (field === "capacityBytes" ? "capacityMb" : (field.split(/[.[]/)[0] ?? "")),
    toInput: (values: RuleValues) => ({ ...toRuleInput(values), enabled: rule?.enabled ?? true }),
    async submit({ kind, ...input }) {
      await (rule ? client.alerts.updateRule.mutate({ id: rule.id, ...input }) : client.alerts.createRule.mutate({ kind, ...input }));
      toastDone(t("alerts.saved"));
      onClose();
    },
  });
  const { register } = form;
  const [kind, scope] = form.watch(["kind", "scope"]);
  const { unit, bad, scopes, windowed, counted } = alertKindFacts[kind];
  const spans = [...new Set([...windows, rule?.windowMinutes ?? 15])].sort((a, b) => a - b);
  return (
    <FormDialog
      title={rule ? t("alerts.editRule", { name: rule.name }) : t("alerts.newRuleTitle")}
      width="max-w-2xl"
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("alerts.kindName")} hint={t(`alerts.kindHint.${kind}`)} className="sm:col-span-2">
          {(ids) => (
            <NativeSelect
              {...ids}
              disabled={rule !== null}
              {...register("kind", {
                onChange: ({ target }: { target: { value: RuleValues["kind"] } }) =>
                  form.setValue("threshold", String(alertKindFacts[target.value].threshold)),
              })}
            >
              {alertKinds.map((one) => (
                <option key={one} value={one}>
                  {t(`alerts.kind.${one}`)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label={t("alerts.name")} error={errorOf("name")}>
          {(ids) => <Input {...ids} autoComplete="off" {...register("name")} />}
        </Field>
        <Field label={t("alerts.severityName")}>
          {(ids) => (
            <NativeSelect {...ids} {...register("severity")}>
              {alertSeverities.map((one) => (
                <option key={one} value={one}>
                  {t(`alerts.severity.${one}`)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {unit !== null && (
          <Field label={`${t("alerts.threshold")} (${t(`alerts.unit.${unit}`)})`} hint={t(`alerts.${bad}`)} error={errorOf("threshold")}>
            {(ids) => <Input {...ids} inputMode="decimal" autoComplete="off" {...register("threshold")} />}
          </Field>
        )}
        {windowed && (
          <Field label={t("alerts.window")} error={errorOf("windowMinutes")}>
            {(ids) => (
              <NativeSelect {...ids} {...register("windowMinutes")}>
                {spans.map((minutes) => (
                  <option key={minutes} value={minutes}>
                    {formatSpan(minutes * 60, language)}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
        )}
        {counted && (
          <Field label={t("alerts.minimum")} hint={t("alerts.minimumHint")} error={errorOf("minimumRequests")}>
            {(ids) => <Input {...ids} inputMode="numeric" {...register("minimumRequests")} />}
          </Field>
        )}
        {kind === "redis_memory" && (
          <Field label={t("alerts.capacity")} hint={t("alerts.capacityHint")} error={errorOf("capacityMb")}>
            {(ids) => <Input {...ids} inputMode="numeric" {...register("capacityMb")} />}
          </Field>
        )}
        <Field label={t("alerts.resolveAfter")} hint={t("alerts.resolveAfterHint")} error={errorOf("resolveAfterSeconds")}>
          {(ids) => <Input {...ids} inputMode="numeric" {...register("resolveAfterSeconds")} />}
        </Field>
        {scopes.length > 1 && (
          <Field label={t("alerts.scopeName")}>
            {(ids) => (
              <NativeSelect {...ids} {...register("scope", { onChange: () => form.setValue("scopeId", "") })}>
                {scopes.map((one) => (
                  <option key={one} value={one}>
                    {t(`alerts.scope.${one}`)}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
        )}
        {scopes.includes(scope) && scope !== "all" && (
          <Field label={t("alerts.which")} error={errorOf("scopeId")}>
            {(ids) => <SubjectControl {...ids} scope={scope} {...register("scopeId")} />}
          </Field>
        )}
      </div>
      {channels.length > 0 && (
        <fieldset className="flex flex-col gap-1">
          <legend className="mb-1 text-sm font-medium">{t("alerts.channelsOf")}</legend>
          {channels.map(({ id, name }) => (
            <label key={id} className="flex min-h-6 items-center gap-2 self-start text-sm">
              <input type="checkbox" value={id} className="size-4 accent-(--accent)" {...register("channelIds")} />
              {name}
            </label>
          ))}
        </fieldset>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("alerts.quietHours")} hint={t("alerts.quietHint")} error={errorOf("quietHours")} optional={t("common.optional")}>
          {(ids) => <Textarea {...ids} rows={2} spellCheck={false} className="font-mono" {...register("quietHours")} />}
        </Field>
        <Field label={t("alerts.zone")}>{(ids) => <Input {...ids} spellCheck={false} {...register("zone")} />}</Field>
      </div>
      <label className="flex min-h-6 items-center gap-2 self-start text-sm">
        <input type="checkbox" className="size-4 accent-(--accent)" {...register("criticalThrough")} />
        {t("alerts.criticalThrough")}
      </label>
    </FormDialog>
  );
}

/** Chooses a provider, key or user by name; a model is typed. */
function SubjectControl({ scope, ...props }: { scope: Exclude<RuleValues["scope"], "all"> } & React.ComponentProps<"select">) {
  const { t } = useTexts();
  const { list } = useNames();
  if (scope === "model") return <Input {...(props as React.ComponentProps<"input">)} spellCheck={false} className="font-mono" />;
  return (
    <NativeSelect {...props}>
      <option value="">{t("alerts.choose")}</option>
      {optionsOf(list, scope).map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </NativeSelect>
  );
}

function optionsOf(list: NameLookup["list"], scope: "provider" | "key" | "user"): readonly { id: string; name: string }[] {
  if (scope === "provider") return list.providers;
  return scope === "key" ? list.keys : list.users.map(({ id, name, email }) => ({ id, name: `${name} (${email})` }));
}
