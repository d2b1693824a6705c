import { useWatch } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { client } from "../../api/client.ts";
import type { Provider } from "../../providers/provider.ts";
import { ProviderBasics, ProviderRouting } from "../../providers/provider-fields.tsx";
import { createInputOf, schemas, testInputOf, updateInputOf, valuesOf } from "../../providers/provider-form.ts";
import { ProviderTestLine } from "../../providers/provider-test.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { FailureBox } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

interface ProviderDialogProps {
  /** null = a new one. */
  provider: Provider | null;
  onClose(): void;
  onSaved(): void;
}

export function ProviderDialog({ provider, onClose, onSaved }: ProviderDialogProps) {
  const { t } = useTranslation();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: provider ? schemas.update : schemas.create,
    defaults: valuesOf(provider),
    toInput: (values: ReturnType<typeof valuesOf>) => (provider ? updateInputOf(provider.id, values) : createInputOf(values)),
    async submit(_input, values) {
      if (provider) {
        await client.providers.update.mutate(schemas.update.parse(updateInputOf(provider.id, values)));
        toastDone(t("common.saved"));
      } else {
        await client.providers.create.mutate(schemas.create.parse(createInputOf(values)));
        toastDone(t("providers.created", { name: values.name }));
      }
      onSaved();
      onClose();
    },
  });
  const values = useWatch({ control: form.control });
  const fields = {
    register: form.register,
    control: form.control,
    setValue: form.setValue,
    errorOf,
    stored: provider !== null,
    secretTail: provider?.secretTail ?? "",
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={provider ? t("providers.editTitle", { name: provider.name }) : t("providers.new")}
      width="max-w-xl"
    >
      <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
        <DialogBody>
          <ProviderBasics {...fields} />
          <ProviderTestLine input={testInputOf(provider, { ...valuesOf(provider), ...values })} />
          <h3 className="border-t border-line pt-4 text-sm font-semibold">{t("providers.advanced")}</h3>
          <ProviderRouting {...fields} />
          {failure && <FailureBox error={failure} />}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {provider ? t("common.save") : t("providers.new")}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  );
}
