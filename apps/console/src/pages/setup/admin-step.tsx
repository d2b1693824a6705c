import { SetupInput } from "@sluice/core/inputs/user";
import { useRouter } from "@tanstack/react-router";
import { setup } from "../../api/auth.ts";
import { forgetLogin } from "../../api/current-login.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import { StepHeading } from "./step-heading.tsx";

/** Step 1: creates the first administrator, by the token in the server's log, and signs in. */
export function AdminStep({ token }: { token: string }) {
  const { t } = useTexts();
  const router = useRouter();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: SetupInput,
    defaults: { token, email: "", name: "", password: "" },
    toInput: (values: { token: string; email: string; name: string; password: string }) => ({
      ...values,
      token: values.token.trim(),
      email: values.email.trim(),
    }),
    async submit(input) {
      await setup(input);
      await forgetLogin();
      await router.navigate({ to: "/setup", search: { step: "provider" }, replace: true });
      await router.invalidate();
    },
  });
  return (
    <>
      <StepHeading title={t("setup.tokenTitle")} text={t("setup.tokenText")} />
      <form noValidate onSubmit={onSubmit} className="flex flex-col gap-4">
        <Field label={t("setup.token")} hint={t("setup.tokenHint")} error={errorOf("token")}>
          {(ids) => <Input {...ids} autoComplete="off" spellCheck={false} className="font-mono text-xs" {...form.register("token")} />}
        </Field>
        <Field label={t("setup.name")} error={errorOf("name")}>
          {(ids) => <Input {...ids} autoComplete="name" {...form.register("name")} />}
        </Field>
        <Field label={t("setup.email")} error={errorOf("email")}>
          {(ids) => <Input {...ids} type="email" autoComplete="username" {...form.register("email")} />}
        </Field>
        <Field label={t("setup.password")} hint={t("users.passwordHint")} error={errorOf("password")}>
          {(ids) => <Input {...ids} type="password" autoComplete="new-password" {...form.register("password")} />}
        </Field>
        {failure && <FailureBox error={failure} />}
        <div className="pt-2">
          <Button type="submit" variant="primary" size="lg" busy={busy}>
            {t("setup.createAdmin")}
          </Button>
        </div>
      </form>
    </>
  );
}
