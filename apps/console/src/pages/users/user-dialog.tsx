import { CreateUserInput, UpdateUserInput } from "@sluice/core/inputs/user";
import { client } from "../../api/client.ts";
import { LimitFields } from "../../limits/limit-fields.tsx";
import { type LimitValues, limitsInput, limitValuesOf } from "../../limits/limit-form.ts";
import { PolicyFields } from "../../policies/policy-fields.tsx";
import { type PolicyValues, policiesInput, policyValuesOf } from "../../policies/policy-form.ts";
import { useTexts } from "../../text/i18n.ts";
import { Field, Input, NativeSelect } from "../../ui/field.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import type { User } from "./user.ts";

interface UserDialogProps {
  /** null = a new one. */
  user: User | null;
  me: string;
  onClose(): void;
}

interface UserValues extends LimitValues, PolicyValues {
  email: string;
  name: string;
  role: "admin" | "user";
  password: string;
}

export function UserDialog({ user, me, onClose }: UserDialogProps) {
  const { t } = useTexts();
  const toInput = ({ email, name, role, password, ...rules }: UserValues) => {
    const more = { ...(password ? { password } : {}), ...limitsInput(rules), ...policiesInput(rules, user) };
    return user ? { id: user.id, name, role, ...more } : { email: email.trim(), name, role, ...more };
  };
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: user ? UpdateUserInput : CreateUserInput,
    defaults: {
      email: user?.email ?? "",
      name: user?.name ?? "",
      role: user?.role ?? "user",
      password: "",
      ...limitValuesOf(user),
      ...policyValuesOf(user),
    } as UserValues,
    toInput,
    async submit(_input, values) {
      if (user) {
        await client.users.update.mutate(UpdateUserInput.parse(toInput(values)));
        toastDone(t("common.saved"));
      } else {
        await client.users.create.mutate(CreateUserInput.parse(toInput(values)));
        toastDone(t("users.createdToast", { name: values.name }));
      }
      onClose();
    },
  });
  return (
    <FormDialog
      title={user ? t("users.editTitle", { name: user.name }) : t("users.newTitle")}
      onSubmit={onSubmit}
      onClose={onClose}
      failure={failure}
      busy={busy}
      action={user ? t("common.save") : t("users.new")}
    >
      <Field label={t("users.name")} error={errorOf("name")}>
        {(ids) => <Input {...ids} autoComplete="off" {...form.register("name")} />}
      </Field>
      <Field label={t("users.email")} error={errorOf("email")}>
        {(ids) => <Input {...ids} type="email" autoComplete="off" disabled={user !== null} {...form.register("email")} />}
      </Field>
      <Field label={t("users.role")} error={errorOf("role")}>
        {(ids) => (
          <NativeSelect {...ids} disabled={user?.id === me} {...form.register("role", { disabled: user?.id === me })}>
            <option value="user">{t("account.user")}</option>
            <option value="admin">{t("account.admin")}</option>
          </NativeSelect>
        )}
      </Field>
      <Field
        label={user ? t("users.passwordNew") : t("users.password")}
        hint={user ? t("users.passwordKeep") : `${t("users.passwordHint")} ${t("users.passwordNone")}`}
        optional={t("common.optional")}
        error={errorOf("password")}
      >
        {(ids) => <Input {...ids} type="password" autoComplete="new-password" {...form.register("password")} />}
      </Field>
      <Field label={t("policies.userExpires")} hint={t("policies.userExpiresHint")} error={errorOf("expiresAtMs")}>
        {(ids) => <Input {...ids} type="date" {...form.register("expiresAtMs")} />}
      </Field>
      <PolicyFields register={form.register} errorOf={errorOf} />
      <LimitFields register={form.register} errorOf={errorOf} stored={user !== null} />
    </FormDialog>
  );
}
