import { LoginInput } from "@sluice/core/inputs/user";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { login } from "../../api/auth.ts";
import { forgetLogin } from "../../api/current-login.ts";
import { OuterFrame } from "../../shell/outer-frame.tsx";
import { Button } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

const route = getRouteApi("/login");

export function LoginPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const { redirect } = route.useSearch();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: LoginInput,
    defaults: { email: "", password: "" },
    toInput: (values: { email: string; password: string }) => ({ ...values, email: values.email.trim() }),
    async submit(input) {
      await login(input);
      await forgetLogin();
      // Only places of our own: a link from elsewhere must not choose where a sign-in leads.
      const target = redirect?.startsWith("/") && !redirect.startsWith("//") ? redirect : "/overview";
      router.history.replace(target);
    },
  });
  return (
    <OuterFrame>
      <div className="m-auto w-full max-w-[22rem]">
        <h1 className="text-xl font-semibold tracking-tight">{t("login.title")}</h1>
        <p className="mt-1 text-sm text-ink-2">{t("login.lead")}</p>
        <form noValidate onSubmit={onSubmit} className="mt-6 flex flex-col gap-4">
          <Field label={t("login.email")} error={errorOf("email")}>
            {(ids) => <Input {...ids} className="h-10" type="email" autoComplete="username" autoFocus {...form.register("email")} />}
          </Field>
          <Field label={t("login.password")} error={errorOf("password")}>
            {(ids) => <Input {...ids} className="h-10" type="password" autoComplete="current-password" {...form.register("password")} />}
          </Field>
          {failure && <FailureBox error={failure} />}
          <Button type="submit" variant="primary" size="lg" busy={busy} className="mt-1">
            {t("login.submit")}
          </Button>
        </form>
      </div>
    </OuterFrame>
  );
}
