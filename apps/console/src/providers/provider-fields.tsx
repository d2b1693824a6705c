import type { Control, Path, UseFormRegister, UseFormSetValue } from "react-hook-form";
import { useWatch } from "react-hook-form";
import { LimitFields } from "../limits/limit-fields.tsx";
import { useTexts } from "../text/i18n.ts";
import { Field, Input, NativeSelect, Textarea } from "../ui/field.tsx";
import type { Provider } from "./provider.ts";
import { ProviderCredentials } from "./provider-credentials.tsx";
import { defaultBaseUrls, defaultNames, type ProviderValues } from "./provider-form.ts";
import { ProviderOptionFields } from "./provider-option-fields.tsx";

interface ProviderFieldsProps {
  register: UseFormRegister<ProviderValues>;
  control: Control<ProviderValues, unknown, ProviderValues>;
  setValue: UseFormSetValue<ProviderValues>;
  errorOf(name: Path<ProviderValues>): string | undefined;
  /** For a stored provider: its dialect is fixed, and an empty secret keeps the stored one. */
  secretTail?: string;
  stored?: boolean;
  credentials?: Provider["credentials"];
}

const dialects = ["anthropic", "openai", "gemini"] as const;
const serves = ["chat", "responses", "embeddings"] as const;

/** What every provider needs: name, dialect, address, key. */
export function ProviderBasics({ register, control, setValue, errorOf, secretTail, stored = false }: ProviderFieldsProps) {
  const { t } = useTexts();
  const [name, baseUrl] = useWatch({ control, name: ["name", "baseUrl"] });
  const dialectField = register("dialect");
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("providers.name")} error={errorOf("name")}>
          {(ids) => <Input {...ids} autoComplete="off" {...register("name")} />}
        </Field>
        <Field label={t("providers.dialect")}>
          {(ids) => (
            <NativeSelect
              {...ids}
              {...dialectField}
              disabled={stored}
              onChange={(event) => {
                void dialectField.onChange(event);
                const known = Object.values(defaultBaseUrls).some((url) => url === baseUrl);
                const dialect = event.target.value as keyof typeof defaultBaseUrls;
                if (known || !baseUrl) setValue("baseUrl", defaultBaseUrls[dialect]);
                if (Object.values(defaultNames).some((one) => one === name)) setValue("name", defaultNames[dialect]);
              }}
            >
              {dialects.map((one) => (
                <option key={one} value={one}>
                  {t(`dialect.${one}`)}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
      </div>
      <Field label={t("providers.baseUrl")} hint={t("providers.baseUrlHint")} error={errorOf("baseUrl")}>
        {(ids) => <Input {...ids} type="url" inputMode="url" spellCheck={false} className="font-mono text-xs" {...register("baseUrl")} />}
      </Field>
      <Field
        label={t("providers.secret")}
        hint={stored ? t("providers.secretKeep", { tail: secretTail || "…" }) : t("providers.secretHint")}
        error={errorOf("secret")}
        optional={stored ? t("common.optional") : undefined}
      >
        {(ids) => (
          <Input {...ids} type="password" autoComplete="off" spellCheck={false} className="font-mono text-xs" {...register("secret")} />
        )}
      </Field>
    </>
  );
}

/** Its role in routing, and the models it serves. */
export function ProviderRouting({ register, control, errorOf, stored = false, credentials = [] }: ProviderFieldsProps) {
  const { t } = useTexts();
  const dialect = useWatch({ control, name: "dialect" });
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t("providers.priority")} hint={t("providers.priorityHint")} error={errorOf("priority")}>
          {(ids) => <Input {...ids} inputMode="numeric" {...register("priority")} />}
        </Field>
        <Field label={t("providers.weight")} hint={t("providers.weightHint")} error={errorOf("weight")}>
          {(ids) => <Input {...ids} inputMode="numeric" {...register("weight")} />}
        </Field>
        <Field label={t("providers.multiplier")} error={errorOf("costMultiplier")}>
          {(ids) => <Input {...ids} inputMode="decimal" {...register("costMultiplier")} />}
        </Field>
      </div>
      <label className="flex min-h-6 items-center gap-2 self-start text-sm font-medium">
        <input type="checkbox" className="size-4 accent-(--accent)" {...register("enabled")} />
        {t("providers.enabled")}
      </label>
      <Field label={t("providers.groups")} hint={t("providers.groupsHint")} error={errorOf("groups")}>
        {(ids) => <Input {...ids} spellCheck={false} {...register("groups")} />}
      </Field>
      {dialect === "openai" && (
        <fieldset className="flex flex-col gap-1.5">
          <legend className="mb-1.5 text-sm font-medium">{t("providers.serves")}</legend>
          <div className="flex flex-wrap gap-x-5 gap-y-1">
            {serves.map((one) => (
              <label key={one} className="flex min-h-6 items-center gap-2 text-sm">
                <input type="checkbox" value={one} className="size-4 accent-(--accent)" {...register("serves")} />
                {t(`providers.serve.${one}`)}
              </label>
            ))}
          </div>
          {errorOf("serves") && <p className="text-xs text-bad">{errorOf("serves")}</p>}
        </fieldset>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("providers.models")} hint={t("providers.modelsHint")} error={errorOf("models")}>
          {(ids) => <Textarea {...ids} spellCheck={false} className="font-mono text-xs" {...register("models")} />}
        </Field>
        <Field label={t("providers.redirects")} hint={t("providers.redirectsHint")} error={errorOf("modelRedirects")}>
          {(ids) => <Textarea {...ids} spellCheck={false} className="font-mono text-xs" {...register("modelRedirects")} />}
        </Field>
      </div>
      <ProviderCredentials register={register} control={control} errorOf={errorOf} stored={credentials} />
      <ProviderOptionFields register={register} errorOf={errorOf} />
      <LimitFields register={register} errorOf={errorOf} stored={stored} />
    </>
  );
}
