import { type Billing, billingModes, UpdateAccountInput } from "@sluice/core/inputs/credit";
import { client } from "../../api/client.ts";
import type { Account } from "../../credits/credit-state.tsx";
import { exactCost } from "../../format.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

/** Billing terms of a user, and the floor of the balance. */
export function TermsDialog({ account, name, onClose }: { account: Account; name: string; onClose(): void }) {
  const { t } = useTexts();
  const toInput = (values: { billing: Billing; floorUsd: string }) => ({ userId: account.userId, ...values });
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: UpdateAccountInput,
    defaults: { billing: account.billing, floorUsd: exactCost(account.floorNanoUsd).replace("$", "") },
    toInput,
    async submit(_input, values) {
      await client.credits.updateAccount.mutate(toInput(values));
      toastDone(t("common.saved"));
      onClose();
    },
  });
  return (
    <FormDialog title={t("credits.termsTitle", { name })} onSubmit={onSubmit} onClose={onClose} failure={failure} busy={busy}>
      <Field label={t("credits.terms")} hint={t("credits.termsHint")} error={errorOf("billing")}>
        {(ids) => (
          <NativeSelect {...ids} {...form.register("billing")}>
            {billingModes.map((mode) => (
              <option key={mode} value={mode}>
                {t(`credits.billing.${mode}`)}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field label={t("credits.floorUsd")} hint={t("credits.floorHint")} error={errorOf("floorUsd")}>
        {(ids) => <Input {...ids} inputMode="decimal" autoComplete="off" {...form.register("floorUsd")} />}
      </Field>
    </FormDialog>
  );
}
