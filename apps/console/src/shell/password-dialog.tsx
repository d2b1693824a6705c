import { ChangePasswordInput } from "@sluice/core/inputs/user";
import { client } from "../api/client.ts";
import { useTexts } from "../text/i18n.ts";
import { Field, Input } from "../ui/field.tsx";
import { FormDialog } from "../ui/form-dialog.tsx";
import { toastDone } from "../ui/toast.tsx";
import { useInputForm } from "../ui/use-input-form.ts";

export function PasswordDialog({ onClose }: { onClose(): void }) {
  const { t } = useTexts();
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
    <FormDialog
      title={t("users.ownPassword")}
      description={t("users.ownPasswordText")}
      width="max-w-md"
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
    >
      <Field label={t("users.currentPassword")} error={refused ? t("users.wrongPassword") : errorOf("current")}>
        {(ids) => <Input {...ids} type="password" autoComplete="current-password" {...form.register("current")} />}
      </Field>
      <Field label={t("users.passwordNew")} hint={t("users.passwordHint")} error={errorOf("password")}>
        {(ids) => <Input {...ids} type="password" autoComplete="new-password" {...form.register("password")} />}
      </Field>
    </FormDialog>
  );
}
