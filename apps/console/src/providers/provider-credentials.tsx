import { Plus, Trash2 } from "lucide-react";
import { type Control, type Path, type UseFormRegister, useFieldArray } from "react-hook-form";
import { useTexts } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input, NativeSelect } from "../ui/field.tsx";
import type { Provider } from "./provider.ts";
import type { ProviderValues } from "./provider-form.ts";

interface CredentialFieldsProps {
  register: UseFormRegister<ProviderValues>;
  control: Control<ProviderValues, unknown, ProviderValues>;
  errorOf(name: Path<ProviderValues>): string | undefined;
  /** The stored credentials: an empty secret keeps the one of that label. */
  stored: Provider["credentials"];
}

const orders = ["first", "weighted"] as const;

/** Additional keys: a refused attempt continues with the next key before another provider is tried. */
export function ProviderCredentials({ register, control, errorOf, stored }: CredentialFieldsProps) {
  const { t } = useTexts();
  const { fields, append, remove } = useFieldArray({ control, name: "credentials" });
  const error = errorOf("credentials");
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="mb-1 text-sm font-semibold">{t("providers.credentials.title")}</legend>
      <p className={`text-xs ${error ? "text-bad" : "text-ink-3"}`}>{error ?? t("providers.credentials.hint")}</p>
      {fields.map((field, index) => {
        const known = stored.find(({ label }) => label === field.label);
        return (
          <div
            key={field.id}
            role="group"
            aria-label={t("providers.credentials.one", { label: field.label || index + 1 })}
            className="grid grid-cols-[1fr_auto] items-end gap-3 sm:grid-cols-[1fr_1.6fr_4.5rem_auto]"
          >
            <Field label={t("providers.credentials.label")}>
              {(ids) => <Input {...ids} autoComplete="off" {...register(`credentials.${index}.label`)} />}
            </Field>
            <Field label={t("providers.secret")} className="order-last col-span-2 sm:order-none sm:col-span-1">
              {(ids) => (
                <Input
                  {...ids}
                  type="password"
                  autoComplete="off"
                  placeholder={known ? t("providers.credentials.kept", { tail: known.secretTail || "…" }) : ""}
                  className="font-mono text-xs"
                  {...register(`credentials.${index}.secret`)}
                />
              )}
            </Field>
            <Field label={t("providers.weight")} className="order-last sm:order-none">
              {(ids) => <Input {...ids} inputMode="numeric" {...register(`credentials.${index}.weight`)} />}
            </Field>
            <Button
              variant="ghost"
              size="icon"
              aria-label={t("providers.credentials.remove", { label: field.label || index + 1 })}
              onClick={() => remove(index)}
            >
              <Trash2 aria-hidden="true" />
            </Button>
          </div>
        );
      })}
      <Button size="sm" className="self-start" onClick={() => append({ label: "", secret: "", weight: "1" })}>
        <Plus aria-hidden="true" />
        {t("providers.credentials.add")}
      </Button>
      {fields.length > 0 && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("providers.credentials.order")}>
            {(ids) => (
              <NativeSelect {...ids} {...register("credentialOrder")}>
                {orders.map((order) => (
                  <option key={order} value={order}>
                    {t(`providers.credentials.${order}`)}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
          <Field label={t("providers.credentials.firstWeight")} error={errorOf("secretWeight")}>
            {(ids) => <Input {...ids} inputMode="numeric" {...register("secretWeight")} />}
          </Field>
        </div>
      )}
    </fieldset>
  );
}
