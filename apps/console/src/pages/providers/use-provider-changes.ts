import { useMutation } from "@tanstack/react-query";
import { api, client } from "../../api/client.ts";
import { readFailure } from "../../api/failure.ts";
import type { ProviderLine } from "../../providers/provider.ts";
import { useTexts } from "../../text/i18n.ts";
import { useFailureText } from "../../ui/states.tsx";
import { toastDone, toastFailed } from "../../ui/toast.tsx";
import type { Difference } from "./batch-change.ts";

/** The page's changes, each with a message when it is done and, where possible, an undo action. */
export function useProviderChanges() {
  const { t } = useTexts();
  const failureText = useFailureText();
  const onError = (thrown: unknown): void => toastFailed(failureText(readFailure(thrown)));
  const undo = (work: () => Promise<unknown>) => ({
    label: t("common.undo"),
    run: () => void work().then(() => toastDone(t("providers.undone")), onError),
  });

  const batch = useMutation({
    mutationFn: ({ differences }: { differences: readonly Difference[]; done?: string }) =>
      client.providers.updateMany.mutate({ changes: differences.map(({ after }) => after) }),
    onSuccess: (_, { differences, done = t("providers.batch.done", { count: differences.length }) }) =>
      toastDone(
        done,
        undo(() => client.providers.updateMany.mutate({ changes: differences.map(({ before }) => before) })),
      ),
    onError,
  });
  const remove = useMutation({
    mutationFn: ({ id }: ProviderLine) => client.providers.delete.mutate({ id }),
    onSuccess: ({ id, versionId }, { name }) =>
      toastDone(
        t("providers.deleted", { name }),
        undo(() => client.providers.restore.mutate({ id, versionId })),
      ),
    onError,
  });
  const clone = useMutation(
    api.providers.clone.mutationOptions({ onSuccess: ({ name }) => toastDone(t("providers.cloned", { name })), onError }),
  );
  const lift = useMutation({
    mutationFn: ({ id }: ProviderLine) => client.providers.override.mutate({ id, kind: null }),
    onSuccess: (_, { name }) => toastDone(t("providers.override.lifted", { name })),
    onError,
  });
  const reset = useMutation({
    mutationFn: ({ id }: ProviderLine) => client.providers.resetBreaker.mutate({ id }),
    onSuccess: (_, { name }) => toastDone(t("providers.resetDone", { name })),
    onError,
  });

  function setEnabled(providers: readonly ProviderLine[], enabled: boolean): void {
    const differences = providers
      .filter((provider) => provider.enabled !== enabled)
      .map((provider) => ({ provider, before: { id: provider.id, enabled: !enabled }, after: { id: provider.id, enabled } }));
    const [first] = differences;
    if (!first) return;
    const name = first.provider.name;
    const done = t(enabled ? "providers.enabledToast" : "providers.disabledToast", { name });
    batch.mutate(differences.length === 1 ? { differences, done } : { differences });
  }

  return { batch, remove, clone, lift, reset, setEnabled };
}
