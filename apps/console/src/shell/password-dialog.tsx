import { ChangePasswordInput } from "@sluice/core/inputs/user";
import { useTranslation } from "react-i18next";
import { client } from "../api/client.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";
import { FailureBox } from "../ui/states.tsx";
import { toastDone } from "../ui/toast.tsx";
import { useInputForm } from "../ui/use-input-form.ts";

/** A new password of one's own. */
export function PasswordDialog({ onClose }: { onClose(): void }) {
  const { t } = useTranslation();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: ChangePasswordInput,
    defaults: { current: "", password: "" },
    toInput: (values: { current: string; password: string }) => values,
    async submit(input) {
      await client.logins.changePassword.mutate(input);
      toastDone(t("users.ownPasswordToast"));
      onClose();
    },
  });
  const refused = form.formState.errors.current?.type === "server";
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("users.ownPassword")}
      description={t("users.ownPasswordText")}
      width="max-w-md"
    >
      <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
          <Field label={t("users.currentPassword")} error={refused ? t("users.wrongPassword") : errorOf("current")}>
            {(ids) => <Input {...ids} type="password" autoComplete="current-password" {...form.register("current")} />}
          </Field>
          <Field label={t("users.passwordNew")} hint={t("users.passwordHint")} error={errorOf("password")}>
            {(ids) => <Input {...ids} type="password" autoComplete="new-password" {...form.register("password")} />}
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
