import { type Billing, billingModes, UpdateAccountInput } from "@sluice/core/inputs/credit";
import { useTranslation } from "react-i18next";
import { client } from "../../api/client.ts";
import type { Account } from "../../credits/credit-state.tsx";
import { exactCost } from "../../format.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

/** How a user pays, and how far the balance may go down. */
export function TermsDialog({ account, name, onClose }: { account: Account; name: string; onClose(): void }) {
  const { t } = useTranslation();
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
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("credits.termsTitle", { name })}>
      <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
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
