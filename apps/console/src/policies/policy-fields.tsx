import type { UseFormRegisterReturn } from "react-hook-form";
import { useTexts } from "../text/i18n.ts";
import { Field, Input, Textarea } from "../ui/field.tsx";
import { policyLists } from "./policy-form.ts";

type PolicyField = `policies.${(typeof policyLists)[number] | "validDays"}`;

interface PolicyFieldsProps {
  register(name: PolicyField): UseFormRegisterReturn;
  /** All lists are parts of the single input field `policies`. */
  errorOf(name: "policies"): string | undefined;
}

/** What a key, or all keys of a user, may be used for, and for how long. */
export function PolicyFields({ register, errorOf }: PolicyFieldsProps) {
  const { t } = useTexts();
  const error = errorOf("policies");
  return (
    <fieldset className="flex min-w-0 flex-col gap-4">
      <legend className="mb-3 text-sm font-semibold">{t("policies.title")}</legend>
      <div className="grid gap-4 sm:grid-cols-2">
        {policyLists.map((list) => (
          <Field key={list} label={t(`policies.${list}`)} hint={t(`policies.${list}Hint`)}>
            {(ids) => <Textarea {...ids} rows={3} spellCheck={false} className="font-mono text-xs" {...register(`policies.${list}`)} />}
          </Field>
        ))}
        <Field label={t("policies.validDays")} hint={t("policies.validDaysHint")}>
          {(ids) => <Input {...ids} autoComplete="off" inputMode="numeric" {...register("policies.validDays")} />}
        </Field>
      </div>
      {error && (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      )}
    </fieldset>
  );
}
