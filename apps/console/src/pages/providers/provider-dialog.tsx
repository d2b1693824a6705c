import { useQuery } from "@tanstack/react-query";
import { useWatch } from "react-hook-form";
import { api, client } from "../../api/client.ts";
import type { Provider } from "../../providers/provider.ts";
import { ProviderBasics, ProviderRouting } from "../../providers/provider-fields.tsx";
import { createInputOf, schemas, testInputOf, updateInputOf, valuesOf } from "../../providers/provider-form.ts";
import { ProviderTest } from "../../providers/provider-test.tsx";
import { useTexts } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../ui/dialog.tsx";
import { FailureBox, SkeletonRows } from "../../ui/states.tsx";
import { toastDone } from "../../ui/toast.tsx";
import { useInputForm } from "../../ui/use-input-form.ts";

interface ProviderDialogProps {
  /** null = a new one. */
  id: string | null;
  name: string;
  onClose(): void;
}

/** The form with all fields of a provider, new or stored. */
export function ProviderDialog({ id, name, onClose }: ProviderDialogProps) {
  const { t } = useTexts();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={id === null ? t("providers.new") : t("providers.editTitle", { name })}
      width="max-w-xl"
    >
      {id === null ? <ProviderForm provider={null} onClose={onClose} /> : <StoredForm id={id} onClose={onClose} />}
    </Dialog>
  );
}

/** The list lacks some fields, so the whole provider is read for editing. */
function StoredForm({ id, onClose }: { id: string; onClose(): void }) {
  const { data, error, refetch } = useQuery({ ...api.providers.get.queryOptions({ id }), staleTime: 0, gcTime: 0 });
  if (data) return <ProviderForm provider={data} onClose={onClose} />;
  return (
    <DialogBody className="min-h-80">{error ? <FailureBox error={error} onRetry={() => void refetch()} /> : <SkeletonRows />}</DialogBody>
  );
}

function ProviderForm({ provider, onClose }: { provider: Provider | null; onClose(): void }) {
  const { t } = useTexts();
  const { form, onSubmit, failure, errorOf, busy } = useInputForm({
    schema: provider ? schemas.update : schemas.create,
    defaults: valuesOf(provider),
    toInput: (values: ReturnType<typeof valuesOf>) => (provider ? updateInputOf(provider, values) : createInputOf(values)),
    async submit(_input, values) {
      if (provider) {
        await client.providers.update.mutate(schemas.update.parse(updateInputOf(provider, values)));
        toastDone(t("common.saved"));
      } else {
        await client.providers.create.mutate(schemas.create.parse(createInputOf(values)));
        toastDone(t("providers.created", { name: values.name }));
      }
      onClose();
    },
  });
  const movedMeanwhile = failure?.field.startsWith("expected.");
  const values = useWatch({ control: form.control });
  const fields = {
    register: form.register,
    control: form.control,
    setValue: form.setValue,
    errorOf,
    stored: provider !== null,
    secretTail: provider?.secretTail ?? "",
    credentials: provider?.credentials ?? [],
  };
  return (
    <form noValidate onSubmit={onSubmit} className="flex min-h-0 flex-1 flex-col">
      <DialogBody>
        <ProviderBasics {...fields} />
        <ProviderTest input={testInputOf(provider, { ...valuesOf(provider), ...values })} />
        <h3 className="border-t border-line pt-4 text-sm font-semibold">{t("providers.advanced")}</h3>
        <ProviderRouting {...fields} />
        {failure && !movedMeanwhile && <FailureBox error={failure} />}
        {movedMeanwhile && (
          <p role="alert" className="rounded-lg bg-warn-soft px-3 py-2 text-sm">
            {t("providers.saveConflict")}
          </p>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>{t("common.cancel")}</Button>
        <Button type="submit" variant="primary" busy={busy}>
          {provider ? t("common.save") : t("providers.new")}
        </Button>
      </DialogFooter>
    </form>
  );
}
