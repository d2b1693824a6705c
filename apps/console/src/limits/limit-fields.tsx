import type { UseFormRegisterReturn } from "react-hook-form";
import { useTexts } from "../text/i18n.ts";
import { Field, Input } from "../ui/field.tsx";
import { type LimitField, limitFieldsOf } from "./limit-form.ts";

interface LimitFieldsProps {
  register(name: LimitField | "resetCost"): UseFormRegisterReturn;
  errorOf(name: LimitField): string | undefined;
  /** Whether there is a stored total that can be reset. */
  stored: boolean;
}

/** The limits of an owner: rates, requests in flight, and cost by window. */
export function LimitFields({ register, errorOf, stored }: LimitFieldsProps) {
  const { t } = useTexts();
  return (
    <fieldset className="flex min-w-0 flex-col gap-4">
      <legend className="mb-3 text-sm font-semibold">{t("limits.title")}</legend>
      <div className="grid gap-4 sm:grid-cols-2">
        {limitFieldsOf.map(([limit, field, unit]) => (
          <Field
            key={field}
            label={t(`limits.name.${limit}`)}
            hint={t(unit === "cost" ? "limits.costHint" : "limits.hint")}
            error={errorOf(field)}
          >
            {(ids) => <Input {...ids} autoComplete="off" inputMode={unit === "cost" ? "decimal" : "numeric"} {...register(field)} />}
          </Field>
        ))}
      </div>
      {stored && (
        <label className="flex min-h-6 items-center gap-2 self-start text-sm font-medium" title={t("limits.resetCostHint")}>
          <input type="checkbox" className="size-4 accent-(--accent)" {...register("resetCost")} />
          {t("limits.resetCost")}
        </label>
      )}
    </fieldset>
  );
}
