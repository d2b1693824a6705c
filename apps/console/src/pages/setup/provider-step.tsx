import { useWatch } from "react-hook-form";
import { client } from "../../api/client.ts";
import { ProviderBasics } from "../../providers/provider-fields.tsx";
import { createInputOf, defaultNames, type ProviderValues, schemas, testInputOf, valuesOf } from "../../providers/provider-form.ts";
import { ProviderTest } from "../../providers/provider-test.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";
import { StepHeading } from "./step-heading.tsx";

interface ProviderStepProps {
  /** Called with the dialect of the created provider; null when skipped. */
  onDone(made: ProviderValues["dialect"] | null): void;
}

export function ProviderStep({ onDone }: ProviderStepProps) {
  const { t } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: schemas.create,
    defaults: { ...valuesOf(null), name: defaultNames.anthropic },
    toInput: createInputOf,
    async submit(input) {
      await client.providers.create.mutate(input);
      onDone(input.dialect);
    },
  });
  const values = useWatch({ control: form.control });
  return (
    <>
      <StepHeading title={t("setup.providerTitle")} text={t("setup.providerText")} />
      <form noValidate onSubmit={onSubmit} className="flex flex-col gap-4">
        <ProviderBasics register={form.register} control={form.control} setValue={form.setValue} errorOf={errorOf} />
        <ProviderTest input={testInputOf(null, { ...valuesOf(null), ...values })} />
        {failure && <FailureBox error={failure} />}
        <div className="flex items-center gap-3 pt-2">
          <Button type="submit" variant="primary" size="lg" busy={busy}>
            {t("setup.saveProvider")}
          </Button>
          <Button variant="ghost" size="lg" onClick={() => onDone(null)}>
            {t("setup.skip")}
          </Button>
        </div>
      </form>
    </>
  );
}
