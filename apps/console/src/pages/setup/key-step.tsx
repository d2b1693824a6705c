import { CreateKeyInput } from "@sluice/core/inputs/key";
import { client } from "../../api/client.ts";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import { StepHeading } from "./step-heading.tsx";

interface KeyStepProps {
  userId: string;
  onDone(made: { id: string; secret: string }): void;
}

/** Step 3: creates the first client key. */
export function KeyStep({ userId, onDone }: KeyStepProps) {
  const { t } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: CreateKeyInput,
    defaults: { name: "my laptop" },
    toInput: (values: { name: string }) => ({ userId, name: values.name }),
    async submit(input) {
      const { key, secret } = await client.keys.create.mutate(input);
      onDone({ id: key.id, secret });
    },
  });
  return (
    <>
      <StepHeading title={t("setup.keyTitle")} text={t("setup.keyText")} />
      <form noValidate onSubmit={onSubmit} className="flex flex-col gap-4">
        <Field label={t("setup.keyName")} error={errorOf("name")}>
          {(ids) => <Input {...ids} autoComplete="off" {...form.register("name")} />}
        </Field>
        {failure && <FailureBox error={failure} />}
        <div className="pt-2">
          <Button type="submit" variant="primary" size="lg" busy={busy}>
            {t("setup.createKey")}
          </Button>
        </div>
      </form>
    </>
  );
}
