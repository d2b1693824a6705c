import { KeyLoginInput, LoginInput } from "@sluice/core/inputs/user";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { KeyRound, Mail } from "lucide-react";
import { type ComponentProps, type ReactNode, useState } from "react";
import { keyLogin, login } from "../../api/auth.ts";
import { forgetLogin } from "../../api/current-login.ts";
import type { Failure } from "../../api/failure.ts";
import { OuterFrame } from "../../shell/outer-frame.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

const route = getRouteApi("/login");

/** Signs in a user by password, or the holder of a client key. */
export function LoginPage() {
  const { t } = useTexts();
  const [byKey, setByKey] = useState(false);
  const Icon = byKey ? Mail : KeyRound;
  return (
    <OuterFrame>
      <div className="m-auto w-full max-w-[22rem]">
        <h1 className="text-xl font-semibold tracking-tight">{t("login.title")}</h1>
        <p className="mt-1 text-sm text-ink-2">{t(byKey ? "login.byKeyLead" : "login.lead")}</p>
        {byKey ? <KeyForm /> : <PasswordForm />}
        <Button variant="ghost" className="mt-3 w-full" onClick={() => setByKey(!byKey)}>
          <Icon aria-hidden="true" />
          {t(byKey ? "login.byPassword" : "login.byKey")}
        </Button>
      </div>
    </OuterFrame>
  );
}

/** Continues to the page that was originally requested. */
function useEnter(): () => Promise<void> {
  const router = useRouter();
  const { redirect } = route.useSearch();
  return async () => {
    await forgetLogin();
    // Only local paths: a link from elsewhere must not choose where a sign-in leads.
    router.history.replace(redirect?.startsWith("/") && !redirect.startsWith("//") ? redirect : "/");
  };
}

function PasswordForm() {
  const { t } = useTexts();
  const enter = useEnter();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: LoginInput,
    defaults: { email: "", password: "" },
    toInput: (values: { email: string; password: string }) => ({ ...values, email: values.email.trim() }),
    submit: (input) => login(input).then(enter),
  });
  return (
    <LoginForm onSubmit={onSubmit} failure={failure} busy={busy}>
      <Field label={t("login.email")} error={errorOf("email")}>
        {(ids) => <Input {...ids} className="h-10" type="email" autoComplete="username" autoFocus {...form.register("email")} />}
      </Field>
      <Field label={t("login.password")} error={errorOf("password")}>
        {(ids) => <Input {...ids} className="h-10" type="password" autoComplete="current-password" {...form.register("password")} />}
      </Field>
    </LoginForm>
  );
}

function KeyForm() {
  const { t } = useTexts();
  const enter = useEnter();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: KeyLoginInput,
    defaults: { key: "" },
    toInput: (values: { key: string }) => values,
    submit: (input) => keyLogin(input).then(enter),
  });
  return (
    <LoginForm onSubmit={onSubmit} failure={failure} busy={busy}>
      <Field label={t("login.key")} error={errorOf("key")}>
        {(ids) => <Input {...ids} className="h-10 font-mono" type="password" autoComplete="off" autoFocus {...form.register("key")} />}
      </Field>
    </LoginForm>
  );
}

interface LoginFormProps {
  onSubmit: ComponentProps<"form">["onSubmit"];
  failure: Failure | null;
  busy: boolean;
  children: ReactNode;
}

function LoginForm({ onSubmit, failure, busy, children }: LoginFormProps) {
  const { t } = useTexts();
  return (
    <form noValidate onSubmit={onSubmit} className="mt-6 flex flex-col gap-4">
      {children}
      {failure && <FailureBox error={failure} />}
      <Button type="submit" variant="primary" size="lg" busy={busy} className="mt-1">
        {t("login.submit")}
      </Button>
    </form>
  );
}
